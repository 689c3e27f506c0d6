"""What a drill needs of the world: an empty place of its own, and the program running in it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run of the program ended.

    Attributes:
        code: exit status.
        said: what it wrote, both streams.
    """

    code: int
    said: str


class ScratchPlace(Protocol):
    """An empty place: a folder and databases of its own, with the same key service and backup stores."""

    @property
    def folder(self) -> Path:
        """Return the folder everything of it lies in."""

    @property
    def data_folder(self) -> Path:
        """Return its data folder."""

    def run(self, arguments: Sequence[str], *, seconds: float) -> Ran:
        """Run ``headshotly`` in it, for at most so many seconds."""

    def serving(self, *, seconds: float) -> AbstractContextManager[bool]:
        """Start its web server and say whether it answered over TLS within so many seconds."""

    def remove(self) -> None:
        """Remove everything of it; repeating is harmless."""


type Make = Callable[[], ScratchPlace]


class _Chosen:
    make: Make | None = None


def make_with(make: Make) -> None:
    """Let the front door say how a place is made; it knows the program and its environment."""
    _Chosen.make = staticmethod(make)


def make() -> ScratchPlace:
    """Make an empty place.

    Raises:
        LookupError: nobody said how.
    """
    if _Chosen.make is None:
        raise LookupError("the front door has not been wired")
    return _Chosen.make()
