"""One commit for everybody who waits: threads of a process that must each be durable share a transaction.

A disk or a database syncs few times a second and takes many rows each time. Whoever comes while another commits waits
for that to end, and then one of those who wait commits for all of them. Nobody waits longer than one commit and their
own, and nobody goes on before their own row is durable (docs/adr/0155).
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


class CommitCutOff(Exception):
    """The thread that committed for others was ended in the middle; what it committed is not known."""


@dataclass(slots=True, eq=False)
class _Ticket[Row]:
    """One row that waits. Its ``turn`` is locked until the row is durable, failed, or its thread's to commit."""

    row: Row
    turn: threading.Lock = field(default_factory=threading.Lock)
    over: bool = False
    leads: bool = False
    failure: Exception | None = None


class Together[Row]:
    """Gathers rows from many threads and commits those that wait with one call.

    One thread at a time leads: it commits whatever waits, wakes each whose row that was, and hands on to the first of
    those that came meanwhile. Everybody waits for a lock of their own: with one lock for all, who comes takes it from
    under those who wait for no more than to be told, and they wait out one commit after another.
    """

    def __init__(self, commit: Callable[[Sequence[Row]], None]) -> None:
        """Take what commits.

        Args:
            commit: makes all rows durable before it returns, or raises and is not known to have kept any.
        """
        self._commit = commit
        self._guard = threading.Lock()
        self._waiting: list[_Ticket[Row]] = []
        self._led = False

    def add(self, row: Row) -> None:
        """Return once a row is durable.

        Raises:
            CommitCutOff: the thread that committed it was ended; whether it is durable is not known.
            Exception: whatever the commit raised; everybody in it gets the same.
        """
        ticket = _Ticket(row)
        ticket.turn.acquire()
        try:
            with self._guard:
                self._waiting.append(ticket)
                if not self._led:
                    self._led = ticket.leads = True
            if not ticket.leads:
                ticket.turn.acquire()
            if not ticket.over:
                self._commit_waiting()
        finally:
            # A thread that is ended while it waits, or before it could begin, must not take the lead with it.
            if not ticket.over:
                self._step_back(ticket)
        if ticket.failure is not None:
            raise ticket.failure

    def _commit_waiting(self) -> None:
        mine: list[_Ticket[Row]] = []
        failure: Exception | None = CommitCutOff()  # unless we learn better: nobody may believe in it by mistake
        try:
            with self._guard:
                mine, self._waiting = self._waiting, mine
            self._commit([ticket.row for ticket in mine])
            failure = None
        except Exception as error:  # noqa: BLE001 - handed to every thread whose row it was, this one too
            failure = error
        finally:
            with self._guard:
                for ticket in mine:
                    ticket.over, ticket.failure = True, failure
                self._hand_on()
            for ticket in mine:
                ticket.turn.release()

    def _hand_on(self) -> None:
        """Let the first of those that wait lead, or nobody; the guard is held."""
        self._led = bool(self._waiting)
        if self._waiting:
            self._waiting[0].leads = True
            self._waiting[0].turn.release()

    def _step_back(self, ticket: _Ticket[Row]) -> None:
        with self._guard:
            if ticket in self._waiting:  # otherwise another is just committing it
                self._waiting.remove(ticket)
                if ticket.leads:
                    self._hand_on()
