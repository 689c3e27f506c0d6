"""Staff, apart from customers: another table, another door, another cookie; and what they may do for how long."""

import uuid

from django.db import models
from django.db.models import F, Q


class Role(models.TextChoices):
    """What a member of staff is there for (clause 2.4.a). A role alone opens nobody's data."""

    SUPPORT = "support", "Support"
    SECURITY = "security-officer", "Security officer"
    DPO = "dpo", "Data Protection Officer"
    OPERATIONS = "operations", "Operations"
    FINANCE = "finance", "Finance"
    DEVELOPER = "developer", "Developer"
    AUDITOR = "auditor", "Auditor (read only)"


class StaffMember(models.Model):
    """One member of staff. ``handle`` is a sign-in name of their choice, not their name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    handle = models.SlugField(max_length=40, unique=True)
    role = models.CharField(max_length=32, choices=Role.choices)
    password = models.CharField(max_length=200, default="")
    totp_sealed = models.BinaryField(default=b"")
    totp_last_step = models.BigIntegerField(default=0)
    enrolled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    is_active = models.BooleanField(default=True)
    suspended_at = models.DateTimeField(null=True)


class EnrolmentLink(models.Model):
    """A link that lets a new member choose a password and a second factor, once. Only its hash is kept."""

    token_sha256 = models.BinaryField(primary_key=True, max_length=32)
    member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class StaffSession(models.Model):
    """A staff session; the cookie holds the token, the row only its hash."""

    token_sha256 = models.BinaryField(primary_key=True, max_length=32)
    member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="+")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    proved_at = models.DateTimeField()
    expires_at = models.DateTimeField()


class StaffPasskey(models.Model):
    """The public half of a member's passkey."""

    credential_id = models.BinaryField(primary_key=True, max_length=1023)
    member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="+")
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField()
    created_at = models.DateTimeField()


class Personnel(models.Model):
    """What must be true of a member before they may see anything (clauses 4.1.b, 5.1.b, 5.2); never the report."""

    member = models.OneToOneField(StaffMember, primary_key=True, on_delete=models.CASCADE, related_name="+")
    screening_passed_on = models.DateField(null=True)
    screening_expires_on = models.DateField(null=True)
    screening_provider = models.CharField(max_length=80, default="")
    screening_report_sha256 = models.CharField(max_length=64, default="")
    training_passed_on = models.DateField(null=True)
    training_expires_on = models.DateField(null=True)
    agreement_version = models.CharField(max_length=40, default="")
    agreement_sha256 = models.CharField(max_length=64, default="")
    agreement_signed_at = models.DateTimeField(null=True)


class Scope(models.TextChoices):
    """What a grant opens: one kind of one customer's data, or one act in production."""

    DETAILS = "details", "Name and address of one customer"
    PHOTO = "photo", "Uploaded photos of one customer"
    HEADSHOT = "headshot", "Headshots of one customer"
    RESTORE = "act:restore", "Restore a backup"
    ROTATE = "act:rotate-keys", "Rotate keys"
    DEPLOY = "act:deploy", "Deploy a release"
    DATABASE = "act:database", "Work in the production database"


class Purpose(models.TextChoices):
    """Why; a closed list, because the customer reads it in the journal."""

    SUPPORT = "support-request", "The customer asked for help"
    FAULT = "fault-analysis", "Finding a fault"
    RIGHTS = "rights-request", "A rights request"
    INCIDENT = "security-incident", "A security incident"
    LEGAL = "legal-obligation", "A legal obligation"


class Grant(models.Model):
    """Permission for one member, one scope and a limited time; kept for ever as its own history."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    scope = models.CharField(max_length=32, choices=Scope.choices)
    subject = models.UUIDField(null=True)
    purpose = models.CharField(max_length=32, choices=Purpose.choices)
    ticket = models.CharField(max_length=40)
    reason = models.CharField(max_length=500, default="")
    minutes = models.PositiveIntegerField()
    asked_at = models.DateTimeField()
    starts_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    begins_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=80, default="")
    suspended_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    uses = models.PositiveIntegerField(default=0)
    broke_glass = models.BooleanField(default=False)
    reviewed_by = models.ForeignKey(StaffMember, null=True, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    finding = models.CharField(max_length=500, default="")

    class Meta:
        constraints = [
            # The database itself refuses what the services must never do.
            models.CheckConstraint(
                name="access_grant_decided_by_somebody_else",
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("member")),
            ),
            models.CheckConstraint(
                name="access_grant_reviewed_by_somebody_else",
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("member")),
            ),
            models.CheckConstraint(
                name="access_grant_approval_has_an_approver",
                condition=Q(approved_at__isnull=True) | Q(decided_by__isnull=False) | Q(broke_glass=True),
            ),
            models.CheckConstraint(
                name="access_grant_approval_has_an_end",
                condition=Q(approved_at__isnull=True) | Q(expires_at__isnull=False, begins_at__isnull=False),
            ),
            models.CheckConstraint(
                name="access_grant_scope_has_its_subject",
                condition=Q(scope__startswith="act:", subject__isnull=True)
                | (~Q(scope__startswith="act:") & Q(subject__isnull=False)),
            ),
        ]


class ClockMark(models.Model):
    """The latest moment ever seen here; a clock behind it was moved back."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    latest = models.DateTimeField()


class RightUse(models.Model):
    """When a member last used a right of their role."""

    member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="+")
    right = models.CharField(max_length=40)
    last_used_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "right"], name="access_one_use_a_right")]


class WithheldRight(models.Model):
    """A right of their role that a member no longer has, because a review found it unused."""

    member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="+")
    right = models.CharField(max_length=40)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "right"], name="access_withheld_once")]


class AccessReview(models.Model):
    """One review of everybody's rights: who looked, when, and what was kept or taken away."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reviewer = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    outcome = models.JSONField()


class ServiceAccount(models.Model):
    """A program that may ask for something; named for what it does."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(max_length=40, unique=True)
    created_by = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    is_active = models.BooleanField(default=True)


class ApiToken(models.Model):
    """A service account's token: scoped, expiring, only its hash kept."""

    token_sha256 = models.BinaryField(primary_key=True, max_length=32)
    account = models.ForeignKey(ServiceAccount, on_delete=models.CASCADE, related_name="+")
    rights = models.JSONField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
