"""Where signed heads are kept besides the database, so that rewriting it shows."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from headshotly.audit.errors import JournalDamaged
from headshotly.audit.models import SignedHead
from headshotly.policy import configuration


class Witness(Protocol):
    """Keeps signed heads and gives them back; never replaces one."""

    def keep(self, size: int, note: str) -> None:
        """Keep the note for a size, unless it is kept already.

        Raises:
            JournalDamaged: another note is kept for this size: the journal was forked.
            OSError: the witness does not answer; the sequencer tries again with its next step.
        """

    def notes(self) -> list[str]:
        """Return every note kept, smallest size first."""


def refuse_other(size: int, kept: str, note: str) -> None:
    """Refuse a note that differs from the one kept: Ed25519 signs the same head always in the same words."""
    if kept != note:
        raise JournalDamaged(f"The journal was forked: the witness holds another head over {size} entries.")


class FolderWitness:
    """A folder with one file a head. Files are made read-only and never written twice."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, size: int, note: str) -> None:
        """Keep the note; a crash before the link leaves a scratch file that is not counted."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{size:020}.note"
        if not path.exists():
            scratch = path.with_name(f".{path.name}.{os.getpid()}")
            scratch.unlink(missing_ok=True)
            descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(scratch, path)
            except FileExistsError:
                pass
            finally:
                scratch.unlink()
        refuse_other(size, path.read_text(encoding="utf-8"), note)

    def notes(self) -> list[str]:
        """Return every note kept, smallest size first."""
        return [path.read_text(encoding="utf-8") for path in sorted(self._folder.glob("[0-9]*.note"))]


def _folder_witness() -> Witness:
    here = configuration.current()
    return FolderWitness(Path(here.options.get("witness.folder") or here.data_folder.parent / "witness"))


class _Chosen:
    """What this process uses and has already handed over."""

    factory: Callable[[], Witness] = staticmethod(_folder_witness)
    last: tuple[int, str] | None = None


def use(factory: Callable[[], Witness]) -> None:
    """Let the front door choose another witness; it knows the clients that this room may not."""
    _Chosen.factory = staticmethod(factory)
    _Chosen.last = None


def use_folder() -> None:
    """Go back to the folder named in the configuration."""
    use(_folder_witness)


def witness() -> Witness:
    """Return the witness of this installation."""
    return _Chosen.factory()


def publish(head: SignedHead) -> None:
    """Hand a head to the witness, once in this process."""
    if _Chosen.last != (head.size, head.note):
        witness().keep(head.size, head.note)
        _Chosen.last = (head.size, head.note)
