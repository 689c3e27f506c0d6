"""Alerts that nobody closed are found without the others."""

from django.db import migrations, models

from headshotly.policy.indexing import AddIndexOnline


class Migration(migrations.Migration):
    """Indexes made while others write; cut short, it goes on where it was."""

    atomic = False
    dependencies = [("incidents", "0005_confirmation")]

    operations = [
        AddIndexOnline(
            model_name="alert",
            index=models.Index(fields=["raised_at"], condition=models.Q(closed_at__isnull=True), name="alert_open"),
        ),
    ]
