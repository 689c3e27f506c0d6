"""Where backups lie: folders by default, S3 in production, each in a region of the European Union.

A store has two parts. The repository keeps what is written once: blobs under the SHA-256 of their bytes, and signed
manifests. The mirror keeps the present state only, without any history: wrapped customer keys and the erasure ledger.
"""

import contextlib
import datetime as dt
import os
from collections.abc import Buffer, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from headshotly.vault import durable
from headshotly.vault.errors import ObjectMissing

PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """Something a repository keeps.

    Attributes:
        name: such as ``blobs/ab/…``.
        size: in bytes.
        written_at: when it was written last, by the store's own clock, aware UTC.
    """

    name: str
    size: int
    written_at: dt.datetime


class Repository(Protocol):
    """Keeps what is written once."""

    @property
    def locks(self) -> bool:
        """Say whether the store can forbid removal until a date (object lock)."""

    def put(self, name: str, pieces: Iterable[Buffer], *, until: dt.datetime) -> int:
        """Keep something durably, whole or not at all; return its bytes.

        Args:
            name: its name.
            pieces: its content.
            until: when it may be removed at the earliest, where the store can hold to that.

        Raises:
            StoreFull: there is no room.
            StoreUnavailable: it may or may not be kept.
        """

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the content piece by piece, from the storage itself and not from what was just written.

        Raises:
            ObjectMissing: there is nothing of this name.
            StoreUnavailable: the store did not answer.
        """

    def kept(self, prefix: str) -> Iterator[Kept]:
        """Yield everything whose name begins so; unfinished writes are not among it.

        Raises:
            StoreUnavailable: the store did not answer.
        """

    def hold(self, name: str, until: dt.datetime) -> None:
        """Forbid removal until a later date than before, where the store can.

        Raises:
            StoreUnavailable: the store did not answer.
        """

    def remove(self, name: str) -> bool:
        """Remove something; return False where its lock forbids it. Repeating is harmless.

        Raises:
            StoreUnavailable: it may still be there.
        """

    def sweep(self, *, before: dt.datetime) -> int:
        """Remove unfinished writes begun before a moment; return how many."""


class Mirror(Protocol):
    """Keeps the present state of a few small files, and nothing of what they held before."""

    def put(self, name: str, content: bytes) -> None:
        """Keep a file, erasing what it held before.

        Raises:
            StoreUnavailable: the old content or the new one stands.
        """

    def get(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is none.

        Raises:
            StoreUnavailable: the store did not answer.
        """

    def names(self, prefix: str) -> list[str]:
        """Return the names that begin so.

        Raises:
            StoreUnavailable: the store did not answer.
        """

    def remove(self, name: str) -> None:
        """Erase a file; repeating is harmless.

        Raises:
            StoreUnavailable: it may still be there.
        """


@dataclass(frozen=True, slots=True)
class Store:
    """One place backups are kept in.

    Attributes:
        name: what people call it: its region.
        region: of AWS's names, in the European Union.
        where: folder or bucket, for people.
        repository: what is written once.
        mirror: the present state.
    """

    name: str
    region: str
    where: str
    repository: Repository
    mirror: Mirror


class FolderRepository:
    """A folder. Nothing in it is locked: whoever may write the folder may empty it."""

    locks = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, pieces: Iterable[Buffer], *, until: dt.datetime) -> int:  # noqa: ARG002 - see the class
        """Keep something durably, whole or not at all."""
        return durable.write(self._folder / name, pieces)

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the content; pages that the system still has in memory are dropped first."""
        try:
            with (self._folder / name).open("rb", buffering=0) as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                while piece := file.read(PIECE):
                    yield piece
        except FileNotFoundError:
            raise ObjectMissing("There is nothing here.") from None
        except OSError as error:
            raise durable.refusal(error) from error

    def kept(self, prefix: str) -> Iterator[Kept]:
        """Yield everything whose name begins so."""
        top = self._folder / prefix
        if not self._folder.is_dir():
            # An unmounted disk must not look like an empty store once something was written to it.
            return
        for root, _, files in os.walk(top, onerror=_raise):
            for file in files:
                path = Path(root) / file
                if not durable.is_unfinished(path):
                    with contextlib.suppress(FileNotFoundError):
                        about = path.stat()
                        written_at = dt.datetime.fromtimestamp(about.st_mtime, dt.UTC)
                        yield Kept(str(path.relative_to(self._folder)), about.st_size, written_at)

    def hold(self, name: str, until: dt.datetime) -> None:
        """Do nothing: a folder has no locks."""

    def remove(self, name: str) -> bool:
        """Remove something."""
        durable.remove(self._folder / name)
        return True

    def sweep(self, *, before: dt.datetime) -> int:
        """Remove unfinished writes begun before a moment; return how many."""
        return durable.sweep(self._folder, before=before)


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise durable.refusal(error) from error


class FolderMirror:
    """A folder whose files are overwritten before they are let go."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, content: bytes) -> None:
        """Keep a file, overwriting what it held before."""
        durable.make_folder((self._folder / name).parent)
        durable.replace_erasing(self._folder / name, content)

    def get(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is none."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise durable.refusal(error) from error

    def names(self, prefix: str) -> list[str]:
        """Return the names that begin so."""
        found = []
        for root, _, files in os.walk(self._folder / prefix, onerror=_raise):
            paths = [Path(root) / file for file in files]
            found += [str(path.relative_to(self._folder)) for path in paths if not durable.is_unfinished(path)]
        return sorted(found)

    def remove(self, name: str) -> None:
        """Erase a file; a removal that a crash cut short goes on."""
        durable.erase(self._folder / name)
