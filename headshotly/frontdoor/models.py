"""What the processes of the service keep: who holds which task, until when."""

from django.db import models


class TaskLease(models.Model):
    """A worker's hold on a running task. The queue itself has none: a killed worker's task would run for ever."""

    task_id = models.UUIDField(primary_key=True)
    worker = models.CharField(max_length=64)
    attempts = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField()
