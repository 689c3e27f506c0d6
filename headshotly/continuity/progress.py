"""How long work tells how far it is, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """Hears how far something is."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note.

        Args:
            stage: what is being done, such as ``Objects``.
            done: how much of it is done.
            total: how much there is; 0 where nobody knows.
        """


def silence(stage: str, done: int, total: int) -> None:
    """Listen to nothing."""
