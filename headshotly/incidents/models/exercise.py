"""Exercises: a script played at a table, and what came of it."""

import uuid

from django.db import models

from headshotly.incidents.models.case import Case


class Exercise(models.Model):
    """One exercise by script; its record is never changed after its end."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    script = models.CharField(max_length=40)
    script_sha256 = models.CharField(max_length=64)
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="+")
    begun_at = models.DateTimeField()
    begun_by = models.UUIDField()
    participants = models.CharField(max_length=400)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.UUIDField(null=True)
    passed = models.BooleanField(null=True)
    findings = models.TextField(default="")


class ExerciseAnswer(models.Model):
    """What the table decided when a piece of the script was played."""

    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()
    words = models.TextField()
    met = models.BooleanField()
    answered_at = models.DateTimeField()
    answered_by = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["exercise", "position"], name="one_answer_a_piece")]
