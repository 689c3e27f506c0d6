"""Breaches: what they touched, how they are judged, whom they were told to, and every decision not to tell."""

import uuid

from django.db import models
from django.db.models import F, Q

from headshotly.incidents.assessment import Harm, Risk, Spread
from headshotly.incidents.models.case import Case, Evidence
from headshotly.incidents.obligations import Addressee
from headshotly.vendors.posting import Posted


class Cause(models.TextChoices):
    """What a breach came from, as the authority's form asks."""

    ATTACK = "attack", "Somebody from outside, on purpose"
    INSIDER = "insider", "Somebody from inside, on purpose"
    MISTAKE = "mistake", "A mistake"
    FAULT = "fault", "A technical fault"
    LOSS = "loss", "A device or document lost or stolen"
    VENDOR = "vendor", "A vendor"


class Keys(models.TextChoices):
    """Whether keys or credentials that open the data were touched too; what is not known counts as yes."""

    SAFE = "safe", "Safe"
    TOUCHED = "touched", "Touched"
    UNKNOWN = "unknown", "Not known"


class Breach(models.Model):
    """A breach of personal data in a case; every one stays in the register, told to anybody or not (GDPR Art. 33(5)).

    ``words`` holds what people wrote for the notices, by part and language. The columns of the scope
    say how it was found: the query on the journal, how long the journal was, and the signed head that covers it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    recorded_by = models.UUIDField()
    aware_at = models.DateTimeField()
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cause = models.CharField(max_length=12, choices=Cause.choices)
    spread = models.CharField(max_length=12, choices=Spread.choices)
    integrity = models.CharField(max_length=12, choices=Harm.choices, default=Harm.NONE)
    availability = models.CharField(max_length=12, choices=Harm.choices, default=Harm.NONE)
    malicious = models.BooleanField(default=False)
    vulnerable = models.BooleanField(default=False)
    consequences = models.JSONField(default=list)
    states = models.JSONField(default=list)
    words = models.JSONField(default=dict)
    late_because = models.TextField(default="")

    keys = models.CharField(max_length=12, choices=Keys.choices, default=Keys.UNKNOWN)
    keys_because = models.TextField(default="")
    opened = models.BooleanField(default=True)

    kinds = models.JSONField(default=list)
    people = models.PositiveIntegerField(default=0)
    records = models.PositiveIntegerField(default=0)
    scope = models.JSONField(default=dict)
    scoped_at = models.DateTimeField(null=True)
    key_traces = models.JSONField(default=list)
    journal_size = models.PositiveBigIntegerField(default=0)
    journal_head = models.TextField(default="")
    journal_verified = models.BooleanField(null=True)

    residents = models.PositiveIntegerField(null=True)
    residents_because = models.TextField(default="")
    delayed_until = models.DateField(null=True)
    delayed_because = models.TextField(default="")


class AffectedPerson(models.Model):
    """Somebody whose data a breach touched: which kinds, how often, from when to when."""

    breach = models.ForeignKey(Breach, on_delete=models.CASCADE, related_name="+")
    subject = models.UUIDField(db_index=True)
    kinds = models.JSONField(default=list)
    openings = models.PositiveIntegerField(default=0)
    objects_opened = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    residence = models.CharField(max_length=12, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["breach", "subject"], name="affected_once")]


class Judgement(models.Model):
    """How grave a breach was judged to be, and why; a milder one than the method's needs somebody else's agreement."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    breach = models.ForeignKey(Breach, on_delete=models.PROTECT, related_name="+")
    score = models.FloatField()
    proposed = models.CharField(max_length=12, choices=Risk.choices)
    risk = models.CharField(max_length=12, choices=Risk.choices)
    reasons = models.JSONField(default=list)
    because = models.TextField()
    judged_at = models.DateTimeField()
    judged_by = models.UUIDField()
    agreed_at = models.DateTimeField(null=True)
    agreed_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="judgement_agreed_by_somebody_else",
                condition=Q(agreed_by__isnull=True) | ~Q(agreed_by=F("judged_by")),
            ),
        ]


class Ground(models.TextChoices):
    """Why somebody need not be told; a closed list, each with its rule."""

    UNLIKELY = "unlikely", "A risk is unlikely (GDPR 33(1))"
    UNINTELLIGIBLE = "unintelligible", "The data is unintelligible and every key safe (GDPR 34(3)(a))"
    REMOVED = "removed", "The high risk is no longer likely to materialise (GDPR 34(3)(b))"
    DISPROPORTIONATE = "disproportionate", "It would be disproportionate; told in public instead (GDPR 34(3)(c))"
    STATUTE = "statute", "The statute does not apply (Civ. Code 1798.82)"


class Decision(models.Model):
    """A decision not to tell somebody: it counts only when somebody else has approved it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    breach = models.ForeignKey(Breach, on_delete=models.PROTECT, related_name="+")
    addressee = models.CharField(max_length=20, choices=Addressee.choices)
    ground = models.CharField(max_length=20, choices=Ground.choices)
    because = models.TextField()
    public_notice = models.CharField(max_length=300, default="")
    proposed_at = models.DateTimeField()
    proposed_by = models.UUIDField()
    approved_at = models.DateTimeField(null=True)
    approved_by = models.UUIDField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.UUIDField(null=True)
    ended_because = models.TextField(default="")

    class Meta:
        constraints = [
            # The database itself refuses what the services must never do.
            models.CheckConstraint(
                name="decision_approved_by_somebody_else",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="decision_approval_has_an_approver",
                condition=Q(approved_at__isnull=True) | Q(approved_by__isnull=False),
            ),
        ]


class NoticePhase(models.TextChoices):
    """Whether a notice says everything (GDPR Art. 33(4))."""

    COMPLETE = "complete", "Complete"
    INITIAL = "initial", "Initial"
    SUPPLEMENTARY = "supplementary", "Supplementary"


class Notice(models.Model):
    """A notice as it was released: what it says never changes, and makes the same pages every time.

    ``content`` is what it says, by field and language, under the version of the form that was in force.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    breach = models.ForeignKey(Breach, on_delete=models.PROTECT, related_name="+")
    addressee = models.CharField(max_length=20, choices=Addressee.choices)
    number = models.PositiveSmallIntegerField()
    phase = models.CharField(max_length=16, choices=NoticePhase.choices)
    form = models.CharField(max_length=40)
    content = models.JSONField()
    sha256 = models.CharField(max_length=64)
    released_at = models.DateTimeField()
    released_by = models.UUIDField()
    queued_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    sent_by = models.UUIDField(null=True)
    sent_how = models.CharField(max_length=160, default="")
    receipt = models.CharField(max_length=160, default="")
    confirmation = models.ForeignKey(Evidence, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["breach", "addressee", "number"], name="one_notice_a_number"),
        ]


class Letter(Posted):
    """One letter to one person about one breach; its id is the mail's, so that nobody gets two."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="+")
    subject = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "subject"], name="one_letter_a_person")]
        indexes = [models.Index(fields=["state", "next_at"], name="letter_queue")]
