"""Django's name for this room."""

from django.apps import AppConfig


class StudioConfig(AppConfig):
    """The studio room; see its README.md for what it keeps."""

    name = "headshotly.studio"
    label = "studio"
    default_auto_field = "django.db.models.BigAutoField"
