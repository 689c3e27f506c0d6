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
    """What came from one source, and when last; one that falls silent raises an alarm."""

    name = models.CharField(max_length=24, primary_key=True)
    last_event_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    events = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)


class Offset(models.Model):
    """How far a reader has come; written in the transaction of what it read."""

    reader = models.CharField(max_length=200, primary_key=True)
    position = models.BigIntegerField(default=0)
    mark = models.CharField(max_length=200, default="")
    moved_at = models.DateTimeField()


class CorrelationHit(models.Model):
    """An event that counts for a correlation's group, kept while a window may still need it.

    ``event`` is the event's id; below zero it stands for an episode of another correlation.
    """

    id = models.BigAutoField(primary_key=True)
    rule = models.CharField(max_length=64)
    group = models.BinaryField(max_length=32)
    event = models.BigIntegerField()
    matched = models.CharField(max_length=64)
    at = models.DateTimeField()
    value = models.CharField(max_length=200, default="")
    number = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "group", "matched", "event"], name="hit_once"),
        ]
        indexes = [
            models.Index(fields=["rule", "group", "at"], name="hit_window"),
            models.Index(fields=["at"], name="hit_time"),
        ]


class Episode(models.Model):
    """A stretch of time in which a rule or correlation fired for one group; ``key`` tells it from the others."""

    id = models.BigAutoField(primary_key=True)
    rule = models.CharField(max_length=64)
    group = models.BinaryField(max_length=32)
    key = models.FloatField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    hits = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "group", "key"], name="episode_once")]
        indexes = [
            models.Index(fields=["rule", "group", "last_at"], name="episode_last"),
            models.Index(fields=["last_at"], name="episode_time"),
        ]


class Block(models.Model):
    """A network address that is answered with a refusal for a while; lifted by hand or by time, never deleted early."""

    id = models.BigAutoField(primary_key=True)
    address = models.CharField(max_length=64)
    reason = models.CharField(max_length=200)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    alert = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["address", "ends_at"], name="block_address")]
