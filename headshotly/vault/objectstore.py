"""Where sealed objects' bytes live. An object is written once and never changed."""

import contextlib
import datetime as dt
import io
import os
from collections.abc import Buffer, Iterable, Iterator
from pathlib import Path
from typing import Protocol
from uuid import UUID

from headshotly.vault import durable
from headshotly.vault.errors import ObjectMissing
from headshotly.vault.streaming import SealedFile


class ObjectStore(Protocol):
    """Keeps ciphertext by owner and object id."""

    @property
    def name(self) -> str:
        """Return what receipts call this store."""

    def write(self, subject: UUID, object_id: UUID, pieces: Iterable[Buffer]) -> int:
        """Keep an object durably, whole or not at all; return its bytes.

        Raises:
            StoreFull: there is no room.
            StoreUnavailable: it may or may not be kept; a sweep removes what no row names.
        """

    def open(self, subject: UUID, object_id: UUID) -> SealedFile:
        """Return a reader.

        Raises:
            ObjectMissing: nothing is kept under this id.
            StoreUnavailable: the store did not answer.
        """

    def delete(self, subject: UUID, object_id: UUID) -> None:
        """Remove an object with every older version of it; repeating is harmless.

        Raises:
            StoreUnavailable: it may still be there.
        """

    def delete_all(self, subject: UUID) -> None:
        """Remove everything of one owner, unfinished writes and older versions too.

        Raises:
            StoreUnavailable: something may still be there.
        """

    def holds(self, subject: UUID, object_id: UUID) -> bool:
        """Say whether any byte of the object is still kept."""

    def remnants(self, subject: UUID) -> list[str]:
        """Name everything of one owner that is still kept, unfinished writes and older versions too."""

    def objects(self, *, before: dt.datetime) -> Iterator[tuple[UUID, UUID]]:
        """Yield owner and id of everything that was written before a moment."""

    def sweep(self, *, before: dt.datetime) -> int:
        """Remove unfinished writes begun before a moment; return how many."""


class _OpenFile:
    """A sealed file on the disk; reads into one piece of memory again and again."""

    def __init__(self, path: Path) -> None:
        self._file = io.FileIO(path)
        self.size = os.fstat(self._file.fileno()).st_size
        self._memory = bytearray()

    def view(self, offset: int, length: int) -> memoryview:
        """Return bytes of the file, valid until the next call; fewer only where the file ends."""
        if len(self._memory) < length:
            self._memory = bytearray(length)
        view = memoryview(self._memory)[:length]
        filled = 0
        try:
            while filled < length and (count := os.preadv(self._file.fileno(), [view[filled:]], offset + filled)):
                filled += count
        except OSError as error:
            raise durable.refusal(error) from error
        return view[:filled]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class FolderObjectStore:
    """A folder for each owner, a file for each object."""

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _owner(self, subject: UUID) -> Path:
        return self._folder / subject.hex[:2] / subject.hex

    def _path(self, subject: UUID, object_id: UUID) -> Path:
        return self._owner(subject) / f"{object_id.hex}.sealed"

    def write(self, subject: UUID, object_id: UUID, pieces: Iterable[Buffer]) -> int:
        """Keep an object durably, whole or not at all; return its bytes."""
        return durable.write(self._path(subject, object_id), pieces)

    def open(self, subject: UUID, object_id: UUID) -> SealedFile:
        """Return a reader."""
        try:
            return _OpenFile(self._path(subject, object_id))
        except FileNotFoundError:
            raise ObjectMissing("There is nothing here.") from None
        except OSError as error:
            raise durable.refusal(error) from error

    def delete(self, subject: UUID, object_id: UUID) -> None:
        """Remove an object; repeating is harmless."""
        durable.remove(self._path(subject, object_id))

    def delete_all(self, subject: UUID) -> None:
        """Remove everything of one owner, unfinished writes too; one sync for all files, one for the folder."""
        owner = self._owner(subject)
        try:
            with contextlib.suppress(FileNotFoundError):
                with os.scandir(owner) as entries:
                    for entry in entries:
                        Path(entry.path).unlink(missing_ok=True)
                durable.sync_folder(owner)
                # A crash here leaves an empty folder; a writer that comes now makes this fail, and repeating goes on.
                owner.rmdir()
                durable.sync_folder(owner.parent)
        except OSError as error:
            raise durable.refusal(error) from error

    def holds(self, subject: UUID, object_id: UUID) -> bool:
        """Say whether any byte of the object is still kept."""
        return self._path(subject, object_id).exists()

    def remnants(self, subject: UUID) -> list[str]:
        """Name everything of one owner that is still kept."""
        owner = self._owner(subject)
        return sorted(entry.name for entry in owner.iterdir()) if owner.is_dir() else []

    def objects(self, *, before: dt.datetime) -> Iterator[tuple[UUID, UUID]]:
        """Yield owner and id of everything that was written before a moment."""
        for path in self._folder.glob("??/*/*.sealed"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before.timestamp():
                    yield UUID(path.parent.name), UUID(path.stem)

    def sweep(self, *, before: dt.datetime) -> int:
        """Remove unfinished writes begun before a moment; return how many."""
        return durable.sweep(self._folder, before=before)
