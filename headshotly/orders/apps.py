"""Django's name for this room."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """The orders room; see its README.md for what it keeps."""

    name = "headshotly.orders"
    label = "orders"
    default_auto_field = "django.db.models.BigAutoField"
