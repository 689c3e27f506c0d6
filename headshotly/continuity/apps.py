"""Django's name for this room."""

from django.apps import AppConfig


class ContinuityConfig(AppConfig):
    """The continuity room; see its README.md for what it keeps."""

    name = "headshotly.continuity"
    label = "continuity"
    default_auto_field = "django.db.models.BigAutoField"
