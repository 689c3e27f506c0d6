"""Cases: what happened, who answers for it, what was done, with what evidence."""

import datetime as dt
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from headshotly.incidents.escalation import Channel, Duty, News
from headshotly.incidents.models.alert import Alert
from headshotly.incidents.phases import Origin, Outcome, Phase, Severity
from headshotly.vendors.posting import Posted


class Case(models.Model):
    """One incident from the first sign to the lessons; ``INC-<number>`` to people and in grants.

    ``key`` is the case's own pseudonym in the vault: its evidence is sealed under it. ``ladder_at`` is when the present
    escalation began. Members of staff stand here by their ids.
    """

    number = models.BigAutoField(primary_key=True)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=160)
    severity = models.CharField(max_length=12, choices=Severity.choices)
    phase = models.CharField(max_length=16, choices=Phase.choices, default=Phase.DETECTION)
    origin = models.CharField(max_length=12, choices=Origin.choices)
    origin_id = models.UUIDField(null=True)
    opened_at = models.DateTimeField()
    opened_by = models.UUIDField(null=True)
    ladder_at = models.DateTimeField()
    owner = models.UUIDField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    contained_at = models.DateTimeField(null=True)
    personal_data = models.BooleanField(null=True)
    kept_in_force = models.TextField(default="")
    outcome = models.CharField(max_length=12, choices=Outcome.choices, default="")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "origin_id"], condition=Q(origin_id__isnull=False), name="one_case_an_origin"
            ),
            models.CheckConstraint(
                name="closed_case_has_an_outcome", condition=Q(closed_at__isnull=True) | ~Q(outcome="")
            ),
        ]
        indexes = [models.Index(fields=["phase", "opened_at"], name="case_queue")]

    @property
    def reference(self) -> str:
        """Return how people name it, also in grants."""
        return f"INC-{self.number}"

    @property
    def is_exercise(self) -> bool:
        """Say whether it is only practised."""
        return self.origin == Origin.EXERCISE


class CaseAlert(models.Model):
    """An alert that belongs to a case; each to one."""

    alert = models.OneToOneField(Alert, primary_key=True, on_delete=models.CASCADE, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()


class TimelineKind(models.TextChoices):
    """What a line of the timeline tells."""

    OPENED = "opened", "Opened"
    ALERT = "alert", "Alert"
    OWNER = "owner", "Owner"
    SEVERITY = "severity", "Severity"
    PHASE = "phase", "Phase"
    NOTE = "note", "Note"
    EVIDENCE = "evidence", "Evidence"
    CONTAINED = "contained", "Containment"
    RELEASED = "released", "Containment undone"
    ESCALATED = "escalated", "Escalation"
    BREACH = "breach", "Breach"
    DECISION = "decision", "Decision"
    NOTICE = "notice", "Notice"
    CLOSED = "closed", "Closed"


class TimelineEntry(models.Model):
    """One line of a case's timeline; never changed. The journal holds its hash, so that a changed one is found."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.UUIDField(null=True)
    kind = models.CharField(max_length=12, choices=TimelineKind.choices)
    words = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["case", "happened_at"], name="timeline_order")]


class Evidence(models.Model):
    """A piece of evidence, sealed in the vault under the case's own key; the row and the journal hold its hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=160)
    media_type = models.CharField(max_length=80)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    object_id = models.UUIDField()
    added_at = models.DateTimeField()
    added_by = models.UUIDField(null=True)


class Containment(models.Model):
    """Something that was stopped: when, by whom, why, and when it was let go again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, null=True, on_delete=models.PROTECT, related_name="+")
    measure = models.CharField(max_length=24)
    target = models.CharField(max_length=200, default="")
    because = models.TextField()
    done_at = models.DateTimeField()
    done_by = models.UUIDField(null=True)
    result = models.CharField(max_length=200, default="")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.UUIDField(null=True)
    undone_because = models.TextField(default="")

    class Meta:
        indexes = [models.Index(fields=["measure", "undone_at"], name="containment_in_force")]


class HolderLetter(Posted):
    """One mail to whoever holds a grant that was suspended, or let go again; queued with the containment itself."""

    FIRST_PAUSE: ClassVar[dt.timedelta] = dt.timedelta(minutes=1)
    containment = models.ForeignKey(Containment, on_delete=models.CASCADE, related_name="+")
    member = models.UUIDField()
    released = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["containment", "member", "released"], name="one_letter_a_holder")
        ]
        indexes = [models.Index(fields=["state", "next_at"], name="holder_letter_queue")]


class Shift(models.Model):
    """Who is on call for a duty, from when to when."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    duty = models.CharField(max_length=16, choices=Duty.choices)
    holder = models.UUIDField()
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    assigned_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="shift_ends_after_it_begins", condition=Q(ends_at__gt=models.F("begins_at")))
        ]
        indexes = [models.Index(fields=["duty", "begins_at"], name="shift_now")]


class CallState(models.TextChoices):
    """Where one call stands."""

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Being handed over"
    SENT = "sent", "Handed over"
    FAILED = "failed", "Given up"
    WITHDRAWN = "withdrawn", "Not needed any more"


class Call(models.Model):
    """One call for one person on one channel about one case; each step of a ladder calls once.

    ``news`` tells a pager later that somebody took the case, and that it is over.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    severity = models.CharField(max_length=12, choices=Severity.choices)
    step = models.PositiveSmallIntegerField()
    duty = models.CharField(max_length=16, choices=Duty.choices)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    news = models.CharField(max_length=8, choices=News.choices, default=News.NEEDED)
    holder = models.UUIDField(null=True)
    state = models.CharField(max_length=12, choices=CallState.choices, default=CallState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=80, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "severity", "step", "duty", "channel", "news"], name="one_call_a_step"
            )
        ]
        indexes = [models.Index(fields=["state", "next_at"], name="call_queue")]
