"""Staff, apart from customers: another table, another door, another cookie."""

import uuid

from django.db import models


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
    failures = models.PositiveIntegerField(default=0)
    failed_at = models.DateTimeField(null=True)


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
    expires_at = models.DateTimeField()
