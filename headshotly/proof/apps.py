"""Django's name for this room."""

from django.apps import AppConfig


class ProofConfig(AppConfig):
    """The proof room; see its README.md for what it keeps."""

    name = "headshotly.proof"
    label = "proof"
    default_auto_field = "django.db.models.BigAutoField"
