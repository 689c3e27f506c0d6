"""Sealed objects are found by kind and time."""

from django.db import migrations, models

from headshotly.policy.indexing import AddIndexOnline


class Migration(migrations.Migration):
    """Indexes made while others write; cut short, it goes on where it was."""

    atomic = False
    dependencies = [("vault", "0003_store_period")]

    operations = [
        AddIndexOnline(
            model_name="storedobject",
            index=models.Index(fields=["kind", "sealed_at"], name="object_kind_sealed"),
        ),
    ]
