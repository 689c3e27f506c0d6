"""What the processes of the service keep: who holds which task, until when."""

from django.db import models


class TaskLease(models.Model):
    """A worker's hold on a running task. The queue itself has none: a killed worker's task would run for ever."""

    task_id = models.UUIDField(primary_key=True)
    worker = models.CharField(max_length=64)
    attempts = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField()


class Announcement(models.Model):
    """An order that a broker is believed to carry for a waiting task; when it is thought lost and sent again."""

    task_id = models.UUIDField(primary_key=True)
    times = models.PositiveSmallIntegerField(default=1)
    again_at = models.DateTimeField(db_index=True)


class DutyRecord(models.Model):
    """When a duty is due, who does it now, and how the last run ended."""

    name = models.CharField(max_length=80, primary_key=True)
    due_at = models.DateTimeField()
    holder = models.CharField(max_length=64, blank=True)
    held_until = models.DateTimeField(null=True)
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    succeeded = models.BooleanField(null=True)
    sentence = models.TextField(blank=True)


class ObjectiveCount(models.Model):
    """How many events an objective counted in five minutes, and how many were good; of the whole service."""

    id = models.BigAutoField(primary_key=True)
    objective = models.CharField(max_length=40)
    at = models.DateTimeField()
    good = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["objective", "at"], name="one_count_a_slice")]


class ObjectiveTotal(models.Model):
    """The same since ever, which only grows: what Prometheus reads. ``until`` is how far jobs were counted."""

    objective = models.CharField(max_length=40, primary_key=True)
    good = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    until = models.DateTimeField(null=True)


class JobTrace(models.Model):
    """Which trace a waiting job belongs to: a W3C ``traceparent`` of our own making; only where traces are kept."""

    task_id = models.UUIDField(primary_key=True)
    parent = models.CharField(max_length=64)
