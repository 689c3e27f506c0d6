"""Where signed heads are kept besides the database, so that rewriting it shows."""

import os
from pathlib import Path
from typing import Protocol

from headshotly.audit.models import SignedHead
from headshotly.policy import configuration


class Witness(Protocol):
    """Keeps signed heads and gives them back; never replaces one."""

    def keep(self, size: int, note: str) -> None:
        """Keep the note for a size, unless one is kept already."""

    def notes(self) -> list[str]:
        """Return every note kept, smallest size first."""


class FolderWitness:
    """A folder with one file a head. Files are made read-only and never written twice."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, size: int, note: str) -> None:
        """Keep the note; a crash leaves a scratch file that is not counted."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{size:020}.note"
        if path.exists():
            return
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        scratch.write_text(note, encoding="utf-8")
        scratch.chmod(0o400)
        scratch.replace(path)

    def notes(self) -> list[str]:
        """Return every note kept, smallest size first."""
        return [path.read_text(encoding="utf-8") for path in sorted(self._folder.glob("[0-9]*.note"))]


def witness() -> Witness:
    """Return the witness of this installation."""
    here = configuration.current()
    return FolderWitness(Path(here.options.get("witness.folder", here.data_folder.parent / "witness")))


def publish(head: SignedHead) -> None:
    """Hand a head to the witness."""
    witness().keep(head.size, head.note)
