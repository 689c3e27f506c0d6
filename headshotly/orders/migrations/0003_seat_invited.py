"""Since when a link to a free seat is out."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A column that may be empty: no row is written, and no table is held for long."""

    dependencies = [("orders", "0002_billed_abroad")]

    operations = [
        migrations.AddField(model_name="seat", name="invited_at", field=models.DateTimeField(null=True)),
    ]
