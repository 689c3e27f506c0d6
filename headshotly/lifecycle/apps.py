"""Django's name for this room."""

from django.apps import AppConfig


class LifecycleConfig(AppConfig):
    """The lifecycle room; see its README.md for what it keeps."""

    name = "headshotly.lifecycle"
    label = "lifecycle"
    default_auto_field = "django.db.models.BigAutoField"
