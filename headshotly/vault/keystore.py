"""Where wrapped customer keys live: a store of its own, replicated, outside every backup that keeps history."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from uuid import UUID

from django.db import DatabaseError, transaction

from headshotly.vault import durable
from headshotly.vault.errors import StoreUnavailable
from headshotly.vault.models import WrappedCustomerKey


class KeyStore(Protocol):
    """Keeps one wrapped key for each data subject."""

    def put(self, subject: UUID, blob: bytes) -> None:
        """Keep a key durably in every replica, replacing an older one."""

    def get(self, subject: UUID) -> bytes | None:
        """Return the wrapped key, or None where there is none."""

    def delete(self, subject: UUID) -> None:
        """Remove the key from every replica; done only when none holds it. Repeating is harmless."""

    def replicas_holding(self, subject: UUID) -> list[str]:
        """Return the names of the replicas that still hold a key for the subject."""

    def subjects(self) -> Iterator[UUID]:
        """Yield everybody who has a key."""


class FolderKeyStore:
    """One file for each customer, in two folders."""

    def __init__(self, folders: dict[str, Path]) -> None:
        """Take the replicas by name; the first is read first.

        Raises:
            ValueError: no folder is given.
        """
        if not folders:
            raise ValueError("a key store needs at least one folder")
        self._folders = folders

    @staticmethod
    def _path(folder: Path, subject: UUID) -> Path:
        return folder / subject.hex[:2] / f"{subject.hex}.key"

    def put(self, subject: UUID, blob: bytes) -> None:
        """Write every replica. A crash in between leaves a replica behind; ``get`` heals it."""
        for folder in self._folders.values():
            durable.write(self._path(folder, subject), [blob])

    def get(self, subject: UUID) -> bytes | None:
        """Return the key of the first replica. A replica that lacks it heals only from the first, never it from them.

        A key missing from the first replica is a key being shredded: reviving it from another would undo that.
        """
        first, *others = self._folders.values()
        try:
            blob = self._path(first, subject).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise durable.refusal(error) from error
        for folder in others:
            if not self._path(folder, subject).exists():
                durable.write(self._path(folder, subject), [blob])
        return blob

    def delete(self, subject: UUID) -> None:
        """Remove the key, from the first replica first: from that moment nobody is served."""
        for folder in self._folders.values():
            durable.remove(self._path(folder, subject))

    def replicas_holding(self, subject: UUID) -> list[str]:
        """Return the names of the replicas that still hold a key for the subject."""
        return [name for name, folder in self._folders.items() if self._path(folder, subject).exists()]

    def subjects(self) -> Iterator[UUID]:
        """Yield everybody who has a key in the first replica."""
        first = next(iter(self._folders.values()))
        for path in sorted(first.glob("??/*.key")):
            yield UUID(path.stem)


class DatabaseKeyStore:
    """A table in the ``keys`` database; replication is the database's own."""

    def put(self, subject: UUID, blob: bytes) -> None:
        """Keep a key, replacing an older one."""
        try:
            with transaction.atomic(using="keys"):
                WrappedCustomerKey.objects.update_or_create(subject=subject, defaults={"blob": blob})
        except DatabaseError as error:
            raise StoreUnavailable("The key store did not answer, so nothing was saved.") from error

    def get(self, subject: UUID) -> bytes | None:
        """Return the wrapped key, or None where there is none."""
        try:
            row = WrappedCustomerKey.objects.filter(subject=subject).first()
        except DatabaseError as error:
            raise StoreUnavailable("The key store did not answer, so nothing was opened.") from error
        return bytes(row.blob) if row else None

    def delete(self, subject: UUID) -> None:
        """Remove the key."""
        try:
            WrappedCustomerKey.objects.filter(subject=subject).delete()
        except DatabaseError as error:
            raise StoreUnavailable("The key store did not answer; the key may still be there.") from error

    def replicas_holding(self, subject: UUID) -> list[str]:
        """Return ``keys`` while the table still holds the key."""
        return ["keys"] if WrappedCustomerKey.objects.filter(subject=subject).exists() else []

    def subjects(self) -> Iterator[UUID]:
        """Yield everybody who has a key."""
        yield from WrappedCustomerKey.objects.order_by("subject").values_list("subject", flat=True).iterator()
