"""Runs, evidence, exceptions and attestations: rows are added, never changed; the database refuses an update.

Below them reports of weaknesses, who is thanked for them, and the signed security.txt.
"""

import uuid

from django.db import models
from django.db.models import F, Q

from headshotly.proof import weakness_states
from headshotly.proof.findings import Assurance, Environment, Outcome
from headshotly.vault.fields import SealedTextField


class CheckRun(models.Model):
    """One run of several checks. ``sha256`` covers every piece of its evidence and stands in the journal."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(db_index=True)
    asked_by = models.CharField(max_length=16)
    source = models.CharField(max_length=80)
    evidence_count = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)


class Evidence(models.Model):
    """What one check saw in one run."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(CheckRun, on_delete=models.PROTECT, related_name="+")
    check_name = models.CharField(max_length=64)
    clauses = models.JSONField()
    outcome = models.CharField(max_length=16, choices=[(one.value, one.value) for one in Outcome])
    sentence = models.TextField()
    population = models.PositiveIntegerField()
    broken = models.JSONField(default=list)
    assurance = models.CharField(max_length=16, choices=[(one.value, one.value) for one in Assurance])
    environment = models.CharField(max_length=16, choices=[(one.value, one.value) for one in Environment])
    observed_from = models.DateTimeField()
    observed_to = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "check_name"], name="proof_one_look_a_run"),
            # The database itself refuses what the calculus must never read.
            models.CheckConstraint(
                name="proof_holding_needs_a_population",
                condition=~Q(outcome__in=["held", "attested", "broken"]) | Q(population__gt=0),
            ),
            models.CheckConstraint(name="proof_observed_forwards", condition=Q(observed_from__lte=F("observed_to"))),
        ]
        indexes = [models.Index(fields=["check_name", "-observed_to"], name="proof_newest")]


class ExceptionRequest(models.Model):
    """Somebody asks that exact broken things be accepted for a time; it counts only once somebody else approved."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    check_name = models.CharField(max_length=64)
    ids = models.JSONField()
    reason = models.TextField()
    asked_by = models.UUIDField()
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()


class DecisionKind(models.TextChoices):
    """What became of a request."""

    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
    ENDED = "ended", "Ended early"


class ExceptionDecision(models.Model):
    """One step in the life of an exception."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(ExceptionRequest, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=DecisionKind.choices)
    asked_by = models.UUIDField()
    decided_by = models.UUIDField()
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "kind"], name="proof_decided_once"),
            models.CheckConstraint(
                name="proof_exception_decided_by_somebody_else",
                condition=Q(kind="ended") | ~Q(decided_by=F("asked_by")),
            ),
        ]


class Attestation(models.Model):
    """Somebody vouches for a clause until a day, by a document; never shown as proof."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clause_id = models.CharField(max_length=12, db_index=True)
    statement = models.TextField()
    document_title = models.CharField(max_length=160)
    document_sha256 = models.CharField(max_length=64)
    issuer = models.CharField(max_length=120)
    valid_from = models.DateField()
    expires_on = models.DateField()
    attested_by = models.UUIDField()
    attested_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="proof_attestation_expires", condition=Q(expires_on__gt=F("valid_from"))),
        ]


class Canary(models.Model):
    """A made-up person's word, sealed as a customer's is; one row, written anew by every scan."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    subject = models.UUIDField()
    word = SealedTextField()


class WeaknessReport(models.Model):
    """One report. ``subject`` is a pseudonym made for the reporter; what they wrote is sealed under its key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=12, unique=True)
    subject = models.UUIDField(unique=True)
    channel = models.CharField(max_length=8, choices=weakness_states.Channel.choices)
    source_sha256 = models.BinaryField(null=True, unique=True, max_length=32)
    state = models.CharField(
        max_length=16, choices=weakness_states.State.choices, default=weakness_states.State.RECEIVED
    )
    severity = models.CharField(max_length=12, choices=weakness_states.Severity.choices, default="")
    outcome = models.CharField(max_length=12, choices=weakness_states.Outcome.choices, default="")
    answerable = models.BooleanField(default=False)
    received_at = models.DateTimeField(db_index=True)
    acknowledge_by = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.UUIDField(null=True)
    fix_by = models.DateField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.UUIDField(null=True)
    reminded_on = models.DateField(null=True)
    original = models.UUIDField(null=True)
    words = SealedTextField(null=True)


class Thanks(models.Model):
    """Somebody thanked in public, under the name they asked to be thanked by."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    report = models.ForeignKey(WeaknessReport, null=True, on_delete=models.SET_NULL, related_name="+")
    display_name = models.CharField(max_length=80)
    for_what = models.CharField(max_length=160)
    thanked_on = models.DateField()


class SecurityText(models.Model):
    """One signed security.txt; the newest is served. Never changed."""

    id = models.BigAutoField(primary_key=True)
    signed = models.TextField()
    certificate = models.TextField()
    fingerprint = models.CharField(max_length=64)
    signed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
