"""What was backed up, drilled and reviewed. The stores' own manifests are what counts; these rows are for people."""

import uuid

from django.db import models

from headshotly.access.models import StaffMember


class BackupState(models.TextChoices):
    """How a backup ended."""

    RUNNING = "running", "running"
    COMPLETE = "complete", "complete"
    INCOMPLETE = "incomplete", "incomplete"
    FAILED = "failed", "failed"


class BackupRecord(models.Model):
    """One run of the backup."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    generation = models.BigIntegerField(null=True)
    began_at = models.DateTimeField()
    snapshot_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12, choices=BackupState.choices, default=BackupState.RUNNING)
    machine = models.CharField(max_length=80)
    sentence = models.TextField(blank=True)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    held_by = models.JSONField(default=list)  # the regions that hold it, read back
    object_count = models.BigIntegerField(default=0)
    object_bytes = models.BigIntegerField(default=0)
    database_bytes = models.BigIntegerField(default=0)
    written_bytes = models.BigIntegerField(default=0)
    missing = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["-began_at"], name="backup_began")]


class StoreCheck(models.Model):
    """What looking at the kept copies found."""

    id = models.BigAutoField(primary_key=True)
    checked_at = models.DateTimeField()
    region = models.CharField(max_length=32)
    blobs = models.BigIntegerField()
    read = models.BigIntegerField()
    damaged = models.BigIntegerField()
    healed = models.BigIntegerField()
    sentence = models.TextField(blank=True)


class MirrorRecord(models.Model):
    """When a region's mirror was last brought up to date, and whether it lacks anything."""

    region = models.CharField(max_length=32, primary_key=True)
    mirrored_at = models.DateTimeField(null=True)
    keys = models.BigIntegerField(default=0)
    sentence = models.TextField(blank=True)


class DrillRecord(models.Model):
    """One exercise of the plan, as it was signed; never changed afterwards."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    passed = models.BooleanField()
    recovery_seconds = models.FloatField(null=True)
    loss_seconds = models.FloatField(null=True)
    sentence = models.TextField()
    signed = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["-began_at"], name="drill_began")]


class PlanReview(models.Model):
    """A member of staff read the plan as it was then, and found it right."""

    id = models.BigAutoField(primary_key=True)
    plan_sha256 = models.CharField(max_length=64)
    reviewed_at = models.DateTimeField()
    reviewer = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
