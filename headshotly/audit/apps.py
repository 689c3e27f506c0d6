"""Django's name for this room."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The audit room; see its README.md for what it keeps."""

    name = "headshotly.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
