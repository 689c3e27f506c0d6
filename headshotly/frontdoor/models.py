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
