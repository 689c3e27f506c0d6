"""The event stream: what was seen, how far each source was read, and what the rules remember."""

from django.db import models


class Event(models.Model):
    """One thing seen, stored as OCSF beside the bytes it came as. Holds pseudonyms, never names or addresses.

    ``identity`` is the hash of the source and the source's own id, so that what is delivered twice is kept once.
    """

    id = models.BigAutoField(primary_key=True)
    identity = models.BinaryField(max_length=32, unique=True)
    source = models.CharField(max_length=24)
    class_uid = models.PositiveIntegerField()
    severity = models.PositiveSmallIntegerField(default=1)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    act = models.CharField(max_length=120, default="")
    outcome = models.CharField(max_length=16, default="")
    actor = models.CharField(max_length=120, default="")
    address = models.CharField(max_length=64, default="")
    subject = models.UUIDField(null=True)
    ocsf = models.JSONField()
    raw = models.BinaryField(default=b"")
    keep_until = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["occurred_at"], name="event_time"),
            models.Index(fields=["source", "occurred_at"], name="event_source"),
            models.Index(fields=["subject", "occurred_at"], name="event_subject"),
            models.Index(fields=["actor", "occurred_at"], name="event_actor"),
            models.Index(fields=["keep_until"], name="event_keep"),
        ]


class Source(models.Model):
    """A source of events and the longest it may be silent; one that falls silent raises an alarm."""

    name = models.CharField(max_length=24, primary_key=True)
    silent_after = models.DurationField(null=True)
    last_event_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    refused = models.BigIntegerField(default=0)


class Offset(models.Model):
    """How far a reader has come; written in the transaction of what it read."""

    reader = models.CharField(max_length=200, primary_key=True)
    position = models.BigIntegerField(default=0)
    mark = models.CharField(max_length=200, default="")
    moved_at = models.DateTimeField()


class CorrelationHit(models.Model):
    """An event that counts for a correlation's group, kept while a window may still need it."""

    id = models.BigAutoField(primary_key=True)
    correlation = models.CharField(max_length=64)
    group = models.BinaryField(max_length=32)
    identity = models.BinaryField(max_length=32)
    rule = models.CharField(max_length=64)
    at = models.DateTimeField()
    value = models.CharField(max_length=200, default="")
    number = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["correlation", "group", "rule", "identity"], name="hit_once"),
        ]
        indexes = [models.Index(fields=["correlation", "group", "at"], name="hit_window")]


class CorrelationState(models.Model):
    """The episode of a correlation's group: from when to when its condition has held."""

    correlation = models.CharField(max_length=64)
    group = models.BinaryField(max_length=32)
    shown = models.CharField(max_length=400)
    episode = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)
    last_hit_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["correlation", "group"], name="state_once")]
