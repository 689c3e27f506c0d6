"""Django's name for this room."""

from django.apps import AppConfig


class PolicyConfig(AppConfig):
    """The policy room; see its README.md for what it keeps."""

    name = "headshotly.policy"
    label = "policy"
    default_auto_field = "django.db.models.BigAutoField"
