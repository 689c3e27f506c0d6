"""Photos, shoots and headshots: ids, states and plain words; every picture lies sealed in the vault."""

import uuid

from django.db import models


class Photo(models.Model):
    """A photo that passed the gate. ``crop`` is the head's box as shares of width and height, from the left and top."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField(db_index=True)
    object_id = models.UUIDField()
    preview_id = models.UUIDField()
    sentence = models.TextField()
    advice = models.TextField(blank=True)
    score = models.FloatField()
    crop = models.JSONField(default=list)
    received_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["received_at"], name="photo_received"),
            models.Index(fields=["object_id"], name="photo_object"),
            models.Index(fields=["preview_id"], name="photo_preview"),
        ]


class ShootState(models.TextChoices):
    """Where a shoot stands. ``states.NEXT`` says what may follow what."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Being made"
    DONE = "done", "Ready"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Shoot(models.Model):
    """One order of headshots: some photos in some styles.

    ``runner`` names the run that may write: each run that begins puts its own mark there, and a run that finds
    another's was only slow, not alone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField(db_index=True)
    state = models.CharField(max_length=16, choices=ShootState.choices, default=ShootState.QUEUED)
    photo_ids = models.JSONField(default=list)
    style_ids = models.JSONField(default=list)
    brand_colour = models.CharField(max_length=7, blank=True)
    runner = models.UUIDField(null=True)
    steps_done = models.PositiveIntegerField(default=0)
    steps_total = models.PositiveIntegerField()
    step = models.CharField(max_length=200, blank=True)
    sentence = models.TextField(blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["subject", "created_at"], name="shoot_subject_created"),
            models.Index(fields=["state", "finished_at"], name="shoot_state"),
            models.Index(fields=["started_at"], name="shoot_started"),
        ]


class Headshot(models.Model):
    """One finished picture. One for each photo and style of a shoot, however often the work is repeated."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField(db_index=True)
    shoot = models.ForeignKey(Shoot, on_delete=models.CASCADE, related_name="+")
    photo_id = models.UUIDField()
    style_id = models.CharField(max_length=40)
    object_id = models.UUIDField()
    preview_id = models.UUIDField()
    favourite = models.BooleanField(default=False)
    notes = models.JSONField(default=list)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shoot", "photo_id", "style_id"], name="one_headshot_a_step"),
        ]
        indexes = [
            models.Index(fields=["made_at"], name="headshot_made"),
            models.Index(fields=["object_id"], name="headshot_object"),
            models.Index(fields=["preview_id"], name="headshot_preview"),
        ]


class KeptReceipt(models.Model):
    """A deletion receipt, readable by whoever has its address after the account is gone; pseudonyms only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.JSONField()
    made_at = models.DateTimeField()
