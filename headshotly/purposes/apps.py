"""Django's name for this room."""

from django.apps import AppConfig


class PurposesConfig(AppConfig):
    """The purposes room; see its README.md for what it keeps."""

    name = "headshotly.purposes"
    label = "purposes"
    default_auto_field = "django.db.models.BigAutoField"
