"""Requests and their history, exports, choices, planned erasures, published documents and who was told of them."""

import uuid

from django.db import models

from headshotly.rights.states import Channel, Kind, Outcome, Regime, State
from headshotly.vault.fields import SealedTextField
from headshotly.vendors.posting import Posted


class RightsRequest(models.Model):
    """One request by a data subject; kept for 24 months after it was received (11 CCR 7101).

    ``subject`` is the customer's pseudonym, or one made for a person without an account; what they wrote is sealed
    under that pseudonym's key, and gone with it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=12, unique=True)
    subject = models.UUIDField(db_index=True)
    has_account = models.BooleanField(default=True)
    kind = models.CharField(max_length=24, choices=Kind.choices)
    regime = models.CharField(max_length=12, choices=Regime.choices)
    language = models.CharField(max_length=2, default="en")
    channel = models.CharField(max_length=12, choices=Channel.choices)
    state = models.CharField(max_length=16, choices=State.choices)
    received_at = models.DateTimeField()
    confirm_by = models.DateField()
    answer_by = models.DateField()
    longest = models.DateField()
    confirmed_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    verified_how = models.CharField(max_length=160, default="")
    extended_at = models.DateTimeField(null=True)
    extended_because = models.TextField(default="")
    reminded_on = models.DateField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, default="")
    ground = models.CharField(max_length=32, default="")
    closed_at = models.DateTimeField(null=True)
    handled_by = models.UUIDField(null=True)
    appeal_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    proof_sha256 = models.BinaryField(default=b"", max_length=32)
    proof_expires_at = models.DateTimeField(null=True)
    words = SealedTextField(null=True)
    reply = SealedTextField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "answer_by"], name="rights_queue")]


class RecipientNotice(models.Model):
    """A recipient that must be told of a correction, deletion or restriction (GDPR Art. 19)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(RightsRequest, on_delete=models.CASCADE, related_name="+")
    recipient = models.CharField(max_length=120)
    told_at = models.DateTimeField(null=True)
    how = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "recipient"], name="recipient_told_once")]


class ExportState(models.TextChoices):
    """Where a copy of somebody's data stands."""

    WAITING = "waiting", "Waiting"
    BUILDING = "building", "Being packed"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired"


class Export(models.Model):
    """A copy of everything, packed in the background, sealed in the vault, and destroyed when its link expires."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField(db_index=True)
    request = models.ForeignKey(RightsRequest, null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=12, choices=ExportState.choices, default=ExportState.WAITING)
    runner = models.UUIDField(null=True)
    steps_done = models.PositiveIntegerField(default=0)
    steps_total = models.PositiveIntegerField(default=1)
    object_id = models.UUIDField(null=True)
    asked_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject"],
                condition=models.Q(state__in=["waiting", "building"]),
                name="one_export_at_a_time",
            ),
        ]


class PrivacyChoice(models.Model):
    """What a customer said about sale, sharing and sensitive data; the answer is no for everybody anyway."""

    subject = models.UUIDField(primary_key=True)
    opted_out_at = models.DateTimeField(null=True)
    opted_out_by = models.CharField(max_length=12, default="")
    limited_at = models.DateTimeField(null=True)


class ErasurePlan(models.Model):
    """An erasure the customer asked for with time to think, or one that is due because the account is unused."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField(unique=True)
    request = models.ForeignKey(RightsRequest, null=True, on_delete=models.SET_NULL, related_name="+")
    planned_at = models.DateTimeField()
    due_at = models.DateTimeField(db_index=True)
    because = models.CharField(max_length=12)


class Publication(models.Model):
    """One version of a legal document. Never changed: a correction is a new version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.CharField(max_length=32)
    version = models.CharField(max_length=16)
    body = models.TextField()
    sha256 = models.CharField(max_length=64)
    summary = models.TextField()
    summary_pl = models.TextField(default="")  # the same in Polish, for the mail
    effective_on = models.DateField()
    published_at = models.DateTimeField()
    published_by = models.UUIDField()
    queued_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "version"], name="one_text_a_version")]


class Delivery(Posted):
    """One mail to one customer about one publication; its id is the mail's, so that nobody gets two."""

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="+")
    subject = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["publication", "subject"], name="one_mail_a_customer")]
        indexes = [
            models.Index(fields=["state", "next_at"], name="rights_mail_queue"),
            models.Index(fields=["subject"], name="rights_mail_subject"),
        ]
