"""Where sealed objects' bytes live."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

from headshotly.vault import durable
from headshotly.vault.errors import ObjectMissing


class ObjectStore(Protocol):
    """Keeps ciphertext by owner and object id."""

    @property
    def name(self) -> str:
        """Return what receipts call this store."""

    def write(self, subject: UUID, object_id: UUID, pieces: Iterable[bytes]) -> int:
        """Keep an object durably, whole or not at all; return its bytes."""

    def open(self, subject: UUID, object_id: UUID) -> BinaryIO:
        """Return a seekable reader.

        Raises:
            ObjectMissing: nothing is kept under this id.
        """

    def delete(self, subject: UUID, object_id: UUID) -> None:
        """Remove an object; repeating is harmless."""

    def delete_all(self, subject: UUID) -> None:
        """Remove everything of one owner, unfinished writes too."""

    def holds(self, subject: UUID, object_id: UUID) -> bool:
        """Say whether any byte of the object is still kept."""

    def objects(self) -> Iterator[tuple[UUID, UUID]]:
        """Yield owner and id of everything kept."""


class FolderObjectStore:
    """A folder for each owner, a file for each object."""

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _owner(self, subject: UUID) -> Path:
        return self._folder / subject.hex[:2] / subject.hex

    def _path(self, subject: UUID, object_id: UUID) -> Path:
        return self._owner(subject) / f"{object_id.hex}.sealed"

    def write(self, subject: UUID, object_id: UUID, pieces: Iterable[bytes]) -> int:
        """Keep an object durably, whole or not at all; return its bytes."""
        return durable.write(self._path(subject, object_id), pieces)

    def open(self, subject: UUID, object_id: UUID) -> BinaryIO:
        """Return a seekable reader."""
        try:
            return self._path(subject, object_id).open("rb")
        except FileNotFoundError:
            raise ObjectMissing("There is nothing here.") from None
        except OSError as error:
            raise durable.refusal(error) from error

    def delete(self, subject: UUID, object_id: UUID) -> None:
        """Remove an object; repeating is harmless."""
        durable.remove(self._path(subject, object_id))

    def delete_all(self, subject: UUID) -> None:
        """Remove everything of one owner, unfinished writes too."""
        owner = self._owner(subject)
        if not owner.is_dir():
            return
        for path in list(owner.iterdir()):
            durable.remove(path)
        try:
            owner.rmdir()
        except OSError as error:
            raise durable.refusal(error) from error

    def holds(self, subject: UUID, object_id: UUID) -> bool:
        """Say whether any byte of the object is still kept."""
        return self._path(subject, object_id).exists()

    def objects(self) -> Iterator[tuple[UUID, UUID]]:
        """Yield owner and id of everything kept."""
        for path in sorted(self._folder.glob("??/*/*.sealed")):
            yield UUID(path.parent.name), UUID(path.stem)
