"""Django's name for this room."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """The access room; see its README.md for what it keeps."""

    name = "headshotly.access"
    label = "access"
    default_auto_field = "django.db.models.BigAutoField"
