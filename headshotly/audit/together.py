"""One commit for everybody who waits: threads of a process that must each be durable share a transaction.

A disk or a database syncs few times a second and takes many rows each time. Whoever comes while another commits waits
for that to end, and then one of those who wait commits for all of them. Nobody waits longer than one commit and their
own, and nobody goes on before their own row is durable (docs/adr/0155).
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass


class CommitCutOff(Exception):
    """The thread that committed for others was ended in the middle; what it committed is not known."""


@dataclass(slots=True)
class _Ticket[Row]:
    row: Row
    over: bool = False
    failure: Exception | None = None


class Together[Row]:
    """Gathers rows from many threads and commits those that wait with one call."""

    def __init__(self, commit: Callable[[Sequence[Row]], None]) -> None:
        """Take what commits.

        Args:
            commit: makes all rows durable before it returns, or raises and is not known to have kept any.
        """
        self._commit = commit
        self._committing = threading.Lock()
        self._guard = threading.Lock()
        self._waiting: list[_Ticket[Row]] = []

    def add(self, row: Row) -> None:
        """Return once a row is durable.

        Raises:
            CommitCutOff: the thread that committed it was ended; whether it is durable is not known.
            Exception: whatever the commit raised; everybody in it gets the same.
        """
        ticket = _Ticket(row)
        with self._guard:
            self._waiting.append(ticket)
        with self._committing:
            if not ticket.over:
                self._commit_waiting()
        if ticket.failure is not None:
            raise ticket.failure

    def _commit_waiting(self) -> None:
        with self._guard:
            mine, self._waiting = self._waiting, []
        failure: Exception | None = CommitCutOff()  # unless we learn better: nobody may believe in it by mistake
        try:
            self._commit([ticket.row for ticket in mine])
            failure = None
        except Exception as error:  # noqa: BLE001 - handed to every thread whose row it was, this one too
            failure = error
        finally:
            for ticket in mine:
                ticket.over, ticket.failure = True, failure
