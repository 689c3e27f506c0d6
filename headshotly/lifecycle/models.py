"""Scans, findings and their history; penetration tests; trainings; releases. Nothing here is about a customer."""

import uuid

from django.db import models
from django.db.models import F, Q

from headshotly.access.models import StaffMember
from headshotly.lifecycle.severity import Severity
from headshotly.lifecycle.states import Grading, Method, State, StepKind, Verdict


class PenetrationTest(models.Model):
    """One test by a third party: planned, held, its report taken in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tester = models.CharField(max_length=120)
    scope = models.TextField()
    planned_on = models.DateField()
    planned_by = models.UUIDField()
    planned_at = models.DateTimeField()
    began_on = models.DateField(null=True)
    ended_on = models.DateField(null=True)
    report_sha256 = models.CharField(max_length=64, blank=True)
    report_bytes = models.BigIntegerField(default=0)
    report_key = models.UUIDField(null=True)  # the vault's pseudonym for this report alone
    report_object = models.UUIDField(null=True)
    reported_at = models.DateTimeField(null=True)
    reported_by = models.UUIDField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="lifecycle_a_held_test_has_its_report",
                condition=Q(ended_on__isnull=True)
                | (Q(reported_at__isnull=False, began_on__isnull=False) & ~Q(report_sha256="")),
            ),
            models.CheckConstraint(
                name="lifecycle_a_test_ends_after_it_began",
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("began_on")),
            ),
        ]


class Scan(models.Model):
    """One run of one tool, as its document told it; never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tool = models.CharField(max_length=80)
    version = models.CharField(max_length=40, blank=True)
    scope = models.CharField(max_length=120, blank=True)
    method = models.CharField(max_length=16, choices=Method.choices)
    commit = models.CharField(max_length=64, blank=True, db_index=True)
    form = models.CharField(max_length=16)
    document_sha256 = models.CharField(max_length=64)
    number = models.PositiveSmallIntegerField()  # of the run in its document
    ran_at = models.DateTimeField(db_index=True)
    succeeded = models.BooleanField()
    imported_at = models.DateTimeField()
    imported_by = models.UUIDField(null=True)
    seen = models.PositiveIntegerField(default=0)
    fresh = models.PositiveIntegerField(default=0)
    reopened = models.PositiveIntegerField(default=0)
    missed = models.PositiveIntegerField(default=0)
    suppressed = models.PositiveIntegerField(default=0)
    test = models.ForeignKey(PenetrationTest, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document_sha256", "number"], name="lifecycle_a_document_is_taken_once")
        ]


class Finding(models.Model):
    """One weakness, however often it is seen."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=12, unique=True)
    fingerprint = models.CharField(max_length=64, unique=True)
    method = models.CharField(max_length=16, choices=Method.choices)
    tool = models.CharField(max_length=80)
    scope = models.CharField(max_length=120, blank=True)
    rule = models.CharField(max_length=300)
    title = models.CharField(max_length=300)
    words = models.TextField(blank=True)
    place = models.CharField(max_length=300, blank=True)
    weaknesses = models.JSONField(default=list)  # numbers of CWE
    severity = models.CharField(max_length=12, choices=Severity.choices)
    grading = models.CharField(max_length=12, choices=Grading.choices)
    score = models.DecimalField(max_digits=3, decimal_places=1, null=True)
    vector = models.CharField(max_length=400, blank=True)
    rated_by = models.UUIDField(null=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    owner = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="+")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    last_commit = models.CharField(max_length=64, blank=True)
    missed_at = models.DateTimeField(null=True)  # the last scan that could have seen it, and did not
    clock_from = models.DateTimeField()
    due_on = models.DateField(null=True)
    accepted_until = models.DateField(null=True)
    closed_at = models.DateTimeField(null=True)
    alerted_on = models.DateField(null=True)
    written_on = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "due_on"], name="lifecycle_due")]
        constraints = [
            models.CheckConstraint(
                name="lifecycle_an_acceptance_has_an_end",
                condition=~Q(state="accepted") | Q(accepted_until__isnull=False),
            ),
            models.CheckConstraint(
                name="lifecycle_a_weakness_has_a_limit",
                condition=Q(severity="none") | Q(due_on__isnull=False),
            ),
        ]


class Step(models.Model):
    """One thing that happened to a finding; only ever added to."""

    id = models.BigAutoField(primary_key=True)
    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=StepKind.choices)
    at = models.DateTimeField()
    by = models.UUIDField(null=True)
    words = models.TextField(blank=True)
    scan = models.ForeignKey(Scan, null=True, on_delete=models.PROTECT, related_name="+")


class Proposal(models.Model):
    """Somebody asks that a finding be left as it is; it counts only once somebody else agrees."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    reason = models.TextField()
    until = models.DateField(null=True)
    asked_by = models.UUIDField()
    asked_at = models.DateTimeField()
    decided_by = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)
    agreed = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="lifecycle_decided_by_somebody_else",
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
            ),
            models.CheckConstraint(
                name="lifecycle_accepting_has_an_end",
                condition=~Q(verdict="accept") | Q(until__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["finding"], condition=Q(decided_at__isnull=True), name="lifecycle_one_proposal_at_a_time"
            ),
        ]


class Retest(models.Model):
    """That a finding is fixed: a named test that failed before and passes now, or two scans by the tool that saw it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="+")
    test = models.CharField(max_length=300)
    failed_at = models.DateTimeField()
    failed_commit = models.CharField(max_length=64)
    failed_sha256 = models.CharField(max_length=64)
    failed_words = models.CharField(max_length=300, blank=True)
    passed_at = models.DateTimeField()
    passed_commit = models.CharField(max_length=64)
    passed_sha256 = models.CharField(max_length=64)
    recorded_by = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="lifecycle_a_test_failed_before_it_passed",
                condition=Q(failed_at__lt=F("passed_at")) & ~Q(failed_commit=F("passed_commit")),
            )
        ]


class TrainingRecord(models.Model):
    """Who passed which course, and until when it counts; the gate that bites is access's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    course = models.CharField(max_length=160)
    provider = models.CharField(max_length=120)
    certificate_sha256 = models.CharField(max_length=64, blank=True)
    passed_on = models.DateField()
    expires_on = models.DateField()
    recorded_by = models.UUIDField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="lifecycle_training_expires", condition=Q(expires_on__gt=F("passed_on"))),
        ]


class Release(models.Model):
    """One commit on its way to customers: who wrote it, who reviewed it, which gates ran on it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.CharField(max_length=40)
    commit = models.CharField(max_length=64, unique=True)
    author = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    gates = models.JSONField(default=dict)  # name → PASS, FAIL, ERROR or NOT RUN
    gates_at = models.DateTimeField()
    gates_sha256 = models.CharField(max_length=64)
    reviewer = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    review_words = models.TextField(blank=True)
    released_at = models.DateTimeField(null=True)
    released_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            # The database itself refuses what the services must never do.
            models.CheckConstraint(
                name="lifecycle_reviewed_by_somebody_else",
                condition=Q(reviewer__isnull=True) | ~Q(reviewer=F("author")),
            ),
            models.CheckConstraint(
                name="lifecycle_released_only_when_reviewed",
                condition=Q(released_at__isnull=True)
                | Q(reviewer__isnull=False, reviewed_at__isnull=False, reviewed_at__lte=F("released_at")),
            ),
        ]
