"""Threads that share a commit: each durable before it goes on, none believing in a commit that failed."""

import threading
import uuid
from unittest import mock

import pytest
from django.db import OperationalError, connections, transaction

from headshotly.audit import services
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.audit.errors import JournalUnavailable
from headshotly.audit.models import Disclosure
from headshotly.audit.together import CommitCutOff, Together


class Gate:
    """Commits into a list; the first commit waits until it is let through."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.go = threading.Event(), threading.Event()
        self.failure = failure

    def __call__(self, rows) -> None:
        self.batches.append(list(rows))
        if len(self.batches) == 1:
            self.begun.set()
            assert self.go.wait(10)
        elif self.failure is not None:
            raise self.failure


def add_from_threads(gate: Gate, count: int) -> dict[int, object]:
    """Add row 0, and the others while it is being committed; return what each thread met."""
    met: dict[int, object] = {}
    together = Together(gate)

    def add(row: int) -> None:
        try:
            together.add(row)
            met[row] = any(row in batch for batch in gate.batches)
        except BaseException as error:
            met[row] = error

    threads = [threading.Thread(target=add, args=(row,)) for row in range(count)]
    threads[0].start()
    assert gate.begun.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(together._waiting) < count - 1:
        pass
    assert not met  # nobody goes on before a commit
    gate.go.set()
    for thread in threads:
        thread.join(10)
    return met


def test_those_who_wait_share_one_commit():
    gate = Gate()
    assert add_from_threads(gate, 9) == dict.fromkeys(range(9), True)
    assert [sorted(batch) for batch in gate.batches] == [[0], list(range(1, 9))]


def test_a_commit_that_fails_fails_for_everybody_in_it_and_nobody_else():
    failure = OperationalError("the disk is full")
    met = add_from_threads(Gate(failure), 5)
    assert met.pop(0) is True
    assert list(met.values()) == [failure] * 4


def test_a_thread_that_is_ended_leaves_nobody_believing_in_its_commit():
    met = add_from_threads(Gate(SystemExit()), 5)
    assert met.pop(0) is True
    assert sorted(type(one).__name__ for one in met.values()) == [*["CommitCutOff"] * 3, "SystemExit"]


@pytest.mark.clause("5.3.a")
@pytest.mark.django_db(transaction=True, databases=["default", "journal"])
class TestDurableEntries:
    """The same through ``record_durably``."""

    def test_many_threads_find_their_entries_committed(self):
        found: dict[uuid.UUID, bool] = {}

        def open_something() -> None:
            try:
                entry_id = services.record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
                found[entry_id] = Disclosure.objects.using("journal").filter(entry_id=entry_id).exists()
            finally:
                connections.close_all()

        threads = [threading.Thread(target=open_something) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert list(found.values()) == [True] * 12
        assert Disclosure.objects.using("journal").count() == 12

    @pytest.mark.parametrize("failure", [OperationalError("no disk"), CommitCutOff()])
    def test_no_commit_no_entry_no_opening(self, failure):
        with mock.patch.object(services._together, "_commit", side_effect=failure), pytest.raises(JournalUnavailable):
            services.record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
        assert not Disclosure.objects.using("journal").exists()
        services.record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
        assert Disclosure.objects.using("journal").count() == 1

    def test_a_caller_who_could_roll_it_back_is_refused_and_waits_for_nobody(self):
        with services._together._committing, transaction.atomic(using="journal"), pytest.raises(RuntimeError):
            services.record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
