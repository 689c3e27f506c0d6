"""How a member of staff is reached when they are on call."""

from django.db import models

from headshotly.vault.fields import SealedTextField


class Contact(models.Model):
    """A member's own mailbox for calls, sealed under their key; without one the mailbox of the house is used."""

    member = models.UUIDField(primary_key=True)
    email = SealedTextField(about="member", label="incidents.contact")
    changed_at = models.DateTimeField()
