"""The erasure ledger: ids of deleted customers, outside the database, so that no restored backup revives them."""

import datetime as dt
import os
import threading
from pathlib import Path
from uuid import UUID

from headshotly.vault import durable


class ErasureLedger:
    """Append-only text files, all with the same content: a line for each subject, ``pseudonym time``.

    A subject that any copy names is erased. Readers look only at what was added since they last looked.
    """

    def __init__(self, *paths: Path) -> None:
        """Take the copies.

        Raises:
            ValueError: no path is given.
        """
        if not paths:
            raise ValueError("a ledger needs at least one file")
        self._read_up_to = dict.fromkeys(paths, 0)
        self._erased: dict[UUID, dt.datetime | None] = {}
        self._guard = threading.Lock()

    def note(self, subject: UUID, at: dt.datetime) -> None:
        """Append a subject durably to every copy; noting one twice is harmless.

        A crash in between leaves some copies with the line, which is enough to count. A line torn by a crash is no
        pseudonym and is passed over; the next one begins on a line of its own.

        Raises:
            StoreUnavailable: the line is not known to be on disk in every copy.
        """
        for path in self._read_up_to:
            durable.append(path, f"{subject} {at.isoformat(timespec='seconds')}\n".encode())

    def holds(self, subject: UUID) -> bool:
        """Say whether a subject was erased."""
        with self._guard:
            self._catch_up()
            return subject in self._erased

    def erased(self) -> dict[UUID, dt.datetime | None]:
        """Return everybody the ledger names, with the time where it can be read."""
        with self._guard:
            self._catch_up()
            return dict(self._erased)

    def _catch_up(self) -> None:
        for path, offset in self._read_up_to.items():
            try:
                size = os.stat(path).st_size  # noqa: PTH116 - twice for each opening, and three times as fast
                if size == offset:
                    continue
                with path.open("rb") as file:
                    # A ledger that became shorter was replaced: read it anew. What it named before stays erased.
                    file.seek(offset if size > offset else 0)
                    lines = file.read()
                    complete = lines.rfind(b"\n") + 1
                    self._read_up_to[path] = file.tell() - (len(lines) - complete)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise durable.refusal(error) from error
            for line in lines[:complete].decode("ascii", errors="replace").splitlines():
                self._take(line)

    def _take(self, line: str) -> None:
        name, _, when = line.partition(" ")
        try:
            subject = UUID(name)
        except ValueError:
            return
        try:
            self._erased.setdefault(subject, dt.datetime.fromisoformat(when))
        except ValueError:
            self._erased.setdefault(subject, None)
