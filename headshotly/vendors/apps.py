"""Django's name for this room."""

from django.apps import AppConfig


class VendorsConfig(AppConfig):
    """The vendors room; see its README.md for what it keeps."""

    name = "headshotly.vendors"
    label = "vendors"
    default_auto_field = "django.db.models.BigAutoField"
