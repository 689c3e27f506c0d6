"""Django's name for this room."""

from django.apps import AppConfig


class FrontdoorConfig(AppConfig):
    """The frontdoor room; see its README.md for what it keeps."""

    name = "headshotly.frontdoor"
    label = "frontdoor"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Wire what a lower room may not reach for itself, and learn what the rooms declare."""
        from django.utils.module_loading import autodiscover_modules  # noqa: PLC0415 - after the registry is filled

        from headshotly.frontdoor import wiring  # noqa: PLC0415 - after the registry is filled

        autodiscover_modules("activities", "duties", "console_places")

        wiring.wire()
