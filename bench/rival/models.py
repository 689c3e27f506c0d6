"""A shoot's pictures as any project would keep them: a row, and a file in a folder."""

import uuid

from django.conf import settings  # noqa: TID251 - a project of its own
from django.db import models


class Picture(models.Model):
    """One picture of one person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    title = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    path = models.CharField(max_length=200)
    preview_path = models.CharField(max_length=200)
    favourite = models.BooleanField(default=False)
    made_at = models.DateTimeField()

    @property
    def notes(self) -> list[str]:
        """Return what the service's own page may say beside a picture; the rival says nothing."""
        return []
