"""The erasure ledger: ids of deleted customers, outside the database, so that no restored backup revives them."""

import datetime as dt
import os
from pathlib import Path
from uuid import UUID

from headshotly.policy import configuration
from headshotly.vault import durable


def _path() -> Path:
    return configuration.current().data_folder / "erasures.log"


def note(subject: UUID, at: dt.datetime) -> None:
    """Append a subject durably; noting one twice is harmless. A torn last line after a crash is ignored by readers.

    Raises:
        StoreUnavailable: the line is not known to be on disk.
    """
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(f"\n{subject} {at.isoformat()}\n".encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise durable.refusal(error) from error


def erased() -> set[UUID]:
    """Return everybody the ledger names."""
    path = _path()
    if not path.exists():
        return set()
    found: set[UUID] = set()
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        try:
            found.add(UUID(line.split(" ", 1)[0]))
        except ValueError:
            continue
    return found
