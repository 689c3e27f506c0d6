"""Django's name for this room."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """The vault room; see its README.md for what it keeps."""

    name = "headshotly.vault"
    label = "vault"
    default_auto_field = "django.db.models.BigAutoField"
