"""Django's name for this room."""

from django.apps import AppConfig


class ProofConfig(AppConfig):
    """The proof room; see its README.md for what it keeps."""

    name = "headshotly.proof"
    label = "proof"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Load every check; one that is not what its file's name says stops the program here."""
        from headshotly.proof import registry  # noqa: PLC0415 - after the rooms' models are there

        registry.load()
