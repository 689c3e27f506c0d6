"""Where wrapped customer keys live: a store of its own, replicated, outside every backup that keeps history."""

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Protocol
from uuid import UUID

from django.db import DatabaseError, IntegrityError, transaction

from headshotly.vault import durable
from headshotly.vault.errors import StoreUnavailable
from headshotly.vault.models import WrappedCustomerKey

_BLOB_MAX = 1 << 20  # a wrapped key has a few hundred bytes


class KeyStore(Protocol):
    """Keeps one wrapped key for each id. A key is never overwritten by accident and never comes back."""

    @property
    def copies(self) -> int:
        """Return how many replicas ought to hold each key."""

    def add(self, key_id: UUID, blob: bytes) -> bool:
        """Keep a key durably in every replica, unless there is one already.

        Returns:
            True when this call added it.

        Raises:
            StoreUnavailable: it may or may not be kept.
        """

    def replace(self, key_id: UUID, seen: Collection[bytes], new: bytes) -> bool:
        """Put a new wrapping in place of those that were seen, unless somebody changed or removed it meanwhile.

        Args:
            key_id: which key.
            seen: every wrapping that the replicas held when the caller looked.
            new: the new wrapping.

        Returns:
            True when every replica holds the new one now.

        Raises:
            StoreUnavailable: each replica holds one that was seen, or the new one.
        """

    def get(self, key_id: UUID) -> bytes | None:
        """Return the wrapped key, or None where no replica has one.

        Raises:
            StoreUnavailable: the store did not answer.
        """

    def delete(self, key_id: UUID) -> None:
        """Remove the key from every replica; repeating is harmless.

        Raises:
            StoreUnavailable: a replica may still hold it.
        """

    def replicas(self, key_id: UUID) -> dict[str, bytes]:
        """Return what each replica still holds of the key, by the replica's name."""

    def ids(self) -> Iterator[UUID]:
        """Yield everything any replica has a key for."""

    def repair(self, key_id: UUID) -> int:
        """Copy the key to the replicas that lost it; return to how many. Never call it for somebody erased."""


class FolderKeyStore:
    """One file for each key, in two folders or more."""

    def __init__(self, folders: dict[str, Path]) -> None:
        """Take the replicas by name; the first is read first.

        Raises:
            ValueError: no folder is given.
        """
        if not folders:
            raise ValueError("a key store needs at least one folder")
        self._folders = folders

    @property
    def copies(self) -> int:
        """Return how many replicas ought to hold each key."""
        return len(self._folders)

    @staticmethod
    def _path(folder: Path, key_id: UUID) -> Path:
        return folder / key_id.hex[:2] / f"{key_id.hex}.key"

    @contextlib.contextmanager
    def _locked(self, key_id: UUID) -> Iterator[None]:
        first = next(iter(self._folders.values()))
        with durable.locked(first / key_id.hex[:2] / ".lock"):
            yield

    @staticmethod
    def _read(folder: Path, key_id: UUID) -> bytes | None:
        # Three times for each opening, so without the objects that reading through a path makes.
        name = key_id.hex
        try:
            descriptor = os.open(f"{folder}/{name[:2]}/{name}.key", os.O_RDONLY | os.O_CLOEXEC)
            try:
                return os.read(descriptor, _BLOB_MAX)
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise durable.refusal(error) from error

    def add(self, key_id: UUID, blob: bytes) -> bool:
        """Write every replica. A crash in between leaves a key in some of them that nothing was sealed under yet."""
        with self._locked(key_id):
            if self.get(key_id) is not None:
                return False
            for folder in self._folders.values():
                durable.write(self._path(folder, key_id), [blob])
        return True

    def replace(self, key_id: UUID, seen: Collection[bytes], new: bytes) -> bool:
        """Write the new wrapping wherever there is one. A crash leaves old and new side by side; repeating finishes."""
        with self._locked(key_id):
            held = self.replicas(key_id)
            if not held or not set(held.values()) <= {*seen, new}:
                return False
            for folder in self._folders.values():
                path = self._path(folder, key_id)
                # A replica without the key stays without, and a removal that was cut short goes on.
                if path.exists():
                    durable.replace_erasing(path, new)
                else:
                    durable.erase(path)
        return True

    def get(self, key_id: UUID) -> bytes | None:
        """Return the key of the first replica that has it: one lost folder does not stop the service."""
        found = (self._read(folder, key_id) for folder in self._folders.values())
        return next((blob for blob in found if blob is not None), None)

    def delete(self, key_id: UUID) -> None:
        """Erase the key in every replica. A crash in between leaves some; the erasure ledger keeps them shut."""
        with self._locked(key_id):
            for folder in self._folders.values():
                durable.erase(self._path(folder, key_id))

    def replicas(self, key_id: UUID) -> dict[str, bytes]:
        """Return what each replica still holds, a removal that was cut short included."""
        held: dict[str, bytes] = {}
        for name, folder in self._folders.items():
            for path in durable.remnants(self._path(folder, key_id)):
                label = f"{name}, being removed" if durable.is_unfinished(path) else name
                with contextlib.suppress(FileNotFoundError):
                    blob = path.read_bytes()
                    # Overwritten already and only not yet unlinked: there is no key in it.
                    if blob.strip(b"\x00"):
                        held[label] = blob
        return held

    def ids(self) -> Iterator[UUID]:
        """Yield everything any replica has a key for."""
        found = (path.name for folder in self._folders.values() for path in folder.glob("??/*.key"))
        # What is being removed is called like the key, with a mark before it.
        for name in sorted({name.rpartition("-")[2].removesuffix(".key") for name in found}):
            yield UUID(name)

    def repair(self, key_id: UUID) -> int:
        """Copy the key to the replicas that lost it; return to how many."""
        with self._locked(key_id):
            blob = self.get(key_id)
            lost = [folder for folder in self._folders.values() if self._read(folder, key_id) is None]
            if blob is None:
                return 0
            for folder in lost:
                durable.write(self._path(folder, key_id), [blob])
        return len(lost)


class DatabaseKeyStore:
    """A table in the ``keys`` database; replication is the database's own."""

    copies = 1

    def add(self, key_id: UUID, blob: bytes) -> bool:
        """Keep a key, unless there is one already."""
        try:
            with transaction.atomic(using="keys"):
                WrappedCustomerKey.objects.create(subject=key_id, blob=blob)
        except IntegrityError:
            return False
        except DatabaseError as error:
            raise StoreUnavailable("The key store did not answer, so nothing was saved.") from error
        return True

    def replace(self, key_id: UUID, seen: Collection[bytes], new: bytes) -> bool:
        """Put a new wrapping in place of those that were seen, unless somebody changed or removed it meanwhile."""
        try:
            return bool(WrappedCustomerKey.objects.filter(subject=key_id, blob__in=[*seen, new]).update(blob=new))
        except DatabaseError as error:
            raise StoreUnavailable("The key store did not answer, so nothing was saved.") from error

    def get(self, key_id: UUID) -> bytes | None:
        """Return the wrapped key, or None where there is none."""
        try:
            row = WrappedCustomerKey.objects.filter(subject=key_id).first()
        except DatabaseError as error:
            raise StoreUnavailable("The key store did not answer, so nothing was opened.") from error
        return bytes(row.blob) if row else None

    def delete(self, key_id: UUID) -> None:
        """Remove the key."""
        try:
            WrappedCustomerKey.objects.filter(subject=key_id).delete()
        except DatabaseError as error:
            raise StoreUnavailable("The key store did not answer; the key may still be there.") from error

    def replicas(self, key_id: UUID) -> dict[str, bytes]:
        """Return what the table still holds of the key."""
        blob = self.get(key_id)
        return {} if blob is None else {"keys": blob}

    def ids(self) -> Iterator[UUID]:
        """Yield everything there is a key for."""
        try:
            yield from WrappedCustomerKey.objects.order_by("subject").values_list("subject", flat=True).iterator()
        except DatabaseError as error:
            raise StoreUnavailable("The key store did not answer.") from error

    def repair(self, key_id: UUID) -> int:  # noqa: ARG002 - the interface's argument
        """Do nothing: the database replicates itself."""
        return 0
