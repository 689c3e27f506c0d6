"""Mails about legal documents are found by whom they went to."""

from django.db import migrations, models

from headshotly.policy.indexing import AddIndexOnline


class Migration(migrations.Migration):
    """Indexes made while others write; cut short, it goes on where it was."""

    atomic = False
    dependencies = [("rights", "0003_mails_are_posted")]

    operations = [
        AddIndexOnline(
            model_name="delivery",
            index=models.Index(fields=["subject"], name="rights_mail_subject"),
        ),
    ]
