"""Writing waiting entries: one statement for all of them, on the connection of their outbox."""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connections

from headshotly.audit.models import Disclosure, PendingEntry
from headshotly.policy.inserting import Insert

COLUMNS = ("entry_id", "leaf", "sealed_details", "tag")
JOURNAL = "journal"
_TURNS = "-turns"  # after the name of the file
_INSERTS = {outbox: Insert(outbox, *COLUMNS) for outbox in (PendingEntry, Disclosure)}


def insert(outbox: type[PendingEntry | Disclosure], rows: Sequence[Sequence[Any]], *, alias: str) -> None:
    """Write rows in the caller's transaction.

    Args:
        outbox: which of the two.
        rows: a value for each of ``COLUMNS``.
        alias: of the connection.

    Raises:
        django.db.Error: they are not written.
    """
    _INSERTS[outbox].write(rows, alias=alias)


@contextlib.contextmanager
def turn() -> Iterator[None]:
    """Wait for one's turn to write to a journal that is a file of its own; elsewhere there is nothing to wait for.

    SQLite lets one process write and has the others ask again after growing pauses, so that one of two that come all
    the time goes hungry. Here they stand in line. A process that dies leaves the line with its descriptor.

    Raises:
        OSError: the file of the line cannot be opened.
    """
    connection: Any = connections[JOURNAL]
    if connection.vendor != "sqlite":
        yield
        return
    beside = f"{connection.settings_dict['NAME']}{_TURNS}"
    descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
