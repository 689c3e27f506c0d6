"""The consent register: append-only but for the moment of withdrawal."""

import uuid

from django.db import models


class Consent(models.Model):
    """One consent given by one data subject to one version of one text (GDPR Art. 7)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField()
    activity = models.CharField(max_length=64)
    version = models.CharField(max_length=32)
    text_sha256 = models.CharField(max_length=64)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "activity"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="one_consent_in_force",
            ),
        ]
        indexes = [models.Index(fields=["subject", "activity"], name="consent_subject_activity")]
