"""Django's name for this room."""

from django.apps import AppConfig


class RightsConfig(AppConfig):
    """The rights room; see its README.md for what it keeps."""

    name = "headshotly.rights"
    label = "rights"
    default_auto_field = "django.db.models.BigAutoField"
