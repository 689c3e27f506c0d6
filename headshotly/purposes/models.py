"""The consent register, restrictions, choices of time limits, impact assessments and the register of risks."""

import uuid

from django.db import models

from headshotly.purposes.grounds import RestrictionGround


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


class Restriction(models.Model):
    """Processing of one subject's data for one activity stands still, but for storing it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField(db_index=True)
    activity = models.CharField(max_length=64)
    ground = models.CharField(max_length=16, choices=RestrictionGround.choices)
    since = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "activity", "ground"],
                condition=models.Q(lifted_at__isnull=True),
                name="one_restriction_in_force",
            ),
        ]


class RetentionChoice(models.Model):
    """How long a customer wants one kind of their data kept; ``days`` is None for “until I delete it”."""

    subject = models.UUIDField()
    limit = models.CharField(max_length=40)
    days = models.PositiveIntegerField(null=True)
    chosen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "limit"], name="one_choice_a_limit")]


class AssessmentState(models.TextChoices):
    """Where an impact assessment stands."""

    DRAFT = "draft", "Draft"
    ADVICE = "advice", "Waits for the DPO's advice"
    APPROVAL = "approval", "Waits for approval"
    CONSULTATION = "consultation", "With the supervisory authority"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
    REPLACED = "replaced", "Replaced by a newer one"


class Assessment(models.Model):
    """A data-protection impact assessment with the contents of GDPR Art. 35(7)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    activity = models.CharField(max_length=64, db_index=True)
    declaration_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=AssessmentState.choices, default=AssessmentState.DRAFT)
    description = models.TextField()
    necessity = models.TextField()
    risks = models.TextField()
    measures = models.TextField()
    views_of_people = models.TextField(default="")
    residual_high = models.BooleanField(default=False)
    written_by = models.UUIDField()
    written_at = models.DateTimeField()
    advice = models.TextField(default="")
    advised_by = models.UUIDField(null=True)
    advised_at = models.DateTimeField(null=True)
    consulted_on = models.DateField(null=True)
    consultation = models.TextField(default="")
    decided_by = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(default="")
    review_on = models.DateField(null=True)

    class Meta:
        constraints = [
            # The database itself refuses what the services must never do.
            models.CheckConstraint(
                name="assessment_decided_by_somebody_else",
                condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("written_by")),
            ),
            models.CheckConstraint(
                name="assessment_approval_is_complete",
                condition=~models.Q(state="approved")
                | models.Q(decided_by__isnull=False, advised_by__isnull=False, review_on__isnull=False),
            ),
        ]


class Risk(models.Model):
    """One risk to people's rights or to the service, tied to the clauses that hold it down (clause 1.1.e)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=160)
    threat = models.TextField()
    clauses = models.JSONField(default=list)
    likelihood = models.PositiveSmallIntegerField()
    impact = models.PositiveSmallIntegerField()
    residual_likelihood = models.PositiveSmallIntegerField()
    residual_impact = models.PositiveSmallIntegerField()
    recorded_by = models.UUIDField()
    recorded_at = models.DateTimeField()
    accepted_by = models.UUIDField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_because = models.TextField(default="")
    review_on = models.DateField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="risk_accepted_by_somebody_else",
                condition=models.Q(accepted_by__isnull=True) | ~models.Q(accepted_by=models.F("recorded_by")),
            ),
        ]
