"""Where signed heads are kept besides the database, so that rewriting it shows."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from uuid import UUID

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
            # Not the process's number: in containers of several machines the sequencers all have the same one.
            scratch = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
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
    folder = Path(here.options.get("witness.folder") or here.data_folder.parent / "witness")
    return FolderWitness(folder / f"era-{era}" if (era := current_era()) else folder)


def _era_file() -> Path:
    return configuration.current().data_folder / "witness-era"


def current_era() -> str:
    """Return the id of the restore after which the witness began anew; empty where there was none.

    A restored journal is shorter than the heads that were signed before the loss, and goes on differently. Those heads
    stay where they are, as evidence of what was lost; the heads since are kept apart from them.
    """
    try:
        return str(UUID(_era_file().read_text(encoding="ascii").strip()))
    except FileNotFoundError:
        return ""
    except ValueError as error:
        raise JournalDamaged("The file that names the witness's era is damaged.") from error


def begin_era(era: str, *, up_to: int) -> None:
    """Keep heads apart from now on, beginning with those over at most ``up_to`` entries.

    A crash in between leaves an era without its first heads; beginning it again adds them. An era counts only while
    the journal has the entry of the restore that names it; see ``verification.verify``.

    Args:
        era: id of the restore.
        up_to: how many entries the restored journal has.

    Raises:
        OSError: the witness did not answer.
    """
    before = witness().notes()
    _era_file().write_text(era, encoding="ascii")
    _Chosen.last = None
    for note in before:
        size = int(note.split("\n", 2)[1])
        if size <= up_to:
            witness().keep(size, note)


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
