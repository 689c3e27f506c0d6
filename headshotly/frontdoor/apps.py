"""Django's name for this room."""

from django.apps import AppConfig


class FrontdoorConfig(AppConfig):
    """The frontdoor room; see its README.md for what it keeps."""

    name = "headshotly.frontdoor"
    label = "frontdoor"
    default_auto_field = "django.db.models.BigAutoField"
