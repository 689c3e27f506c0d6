"""Django's name for this room."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """The integrations room; see its README.md for what it keeps."""

    name = "headshotly.integrations"
    label = "integrations"
    default_auto_field = "django.db.models.BigAutoField"
