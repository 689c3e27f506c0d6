"""Django's name for this room."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The accounts room; see its README.md for what it keeps."""

    name = "headshotly.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
