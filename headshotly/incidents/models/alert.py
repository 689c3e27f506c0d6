"""What the detector tells people."""

import uuid

from django.db import models


class AlertKind(models.TextChoices):
    """What raised it."""

    RULE = "rule", "Rule"
    CORRELATION = "correlation", "Correlation"
    ANOMALY = "anomaly", "Anomaly"
    PREVENTION = "prevention", "Blocked request"
    STREAM = "stream", "Event stream"


class Level(models.TextChoices):
    """How bad it is, in Sigma's words."""

    INFORMATIONAL = "informational", "Informational"
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"


class Alert(models.Model):
    """One episode of something to look at: told once, however many events it has.

    ``episode`` names it: the same rule, the same group, the same stretch of time. ``group`` says what the events have
    in common, by pseudonym. ``events`` holds the ids of the first hundred; ``hits`` counts all. ``author`` is who
    wrote the rule, as the licence of public rules asks.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    episode = models.BinaryField(max_length=32, unique=True)
    kind = models.CharField(max_length=16, choices=AlertKind.choices)
    level = models.CharField(max_length=16, choices=Level.choices)
    rule = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    author = models.CharField(max_length=200, default="")
    source = models.CharField(max_length=24, default="")
    sentence = models.TextField()
    group = models.JSONField(default=dict)
    actor = models.CharField(max_length=120, default="")
    address = models.CharField(max_length=64, default="")
    subject = models.UUIDField(null=True)
    events = models.JSONField(default=list)
    hits = models.PositiveIntegerField(default=1)
    first_event_at = models.DateTimeField()
    last_event_at = models.DateTimeField()
    raised_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=200, default="")

    class Meta:
        indexes = [
            models.Index(fields=["raised_at"], name="alert_raised"),
            models.Index(fields=["rule", "raised_at"], name="alert_rule"),
            models.Index(fields=["raised_at"], condition=models.Q(closed_at__isnull=True), name="alert_open"),
        ]
