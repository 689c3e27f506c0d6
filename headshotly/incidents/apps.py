"""Django's name for this room."""

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """The incidents room; see its README.md for what it keeps."""

    name = "headshotly.incidents"
    label = "incidents"
    default_auto_field = "django.db.models.BigAutoField"
