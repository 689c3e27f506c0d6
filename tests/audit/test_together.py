"""Threads that share a commit: each durable before it goes on, none believing in a commit that failed."""

import contextlib
import random
import threading
import uuid
from unittest import mock

import pytest
from django.db import OperationalError, connections, transaction

from headshotly.audit import services
from headshotly.audit import together as together_module
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


def test_who_is_durable_goes_on_while_the_next_commit_runs():
    told, second = threading.Event(), threading.Event()

    def commit(rows) -> None:
        if rows == ["first"]:
            assert second.wait(10)
        else:
            assert told.wait(10), "the first was kept waiting by a commit that was not its own"

    together = Together(commit)

    def first() -> None:
        together.add("first")
        told.set()

    threads = [threading.Thread(target=first), threading.Thread(target=together.add, args=("second",))]
    threads[0].start()
    while not together._led:
        pass
    threads[1].start()
    while not together._waiting:
        pass
    second.set()
    for thread in threads:
        thread.join(15)
    assert told.is_set()
    assert not together._led


class Interrupted:
    """A lock whose second taking is interrupted, as a signal interrupts one that waits."""

    def __init__(self) -> None:
        self.lock, self.taken = threading.Lock(), 0

    def acquire(self) -> bool:
        self.taken += 1
        if self.taken > 1:
            self.lock.acquire()
            raise KeyboardInterrupt
        return self.lock.acquire()

    def release(self) -> None:
        self.lock.release()


def test_a_thread_that_is_ended_when_it_was_to_lead_hands_the_lead_on():
    gate, met = Gate(), []
    together = Together(gate)
    tickets = [together_module._Ticket(1, Interrupted()), together_module._Ticket(2)]

    def add(row: int) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            together.add(row)
            met.append(row)

    threads = [threading.Thread(target=add, args=(row,)) for row in range(3)]
    threads[0].start()
    assert gate.begun.wait(10)
    with mock.patch.object(together_module, "_Ticket", side_effect=tickets):
        for row in (1, 2):
            threads[row].start()
            while len(together._waiting) < row:
                pass
    gate.go.set()
    for thread in threads:
        thread.join(10)
    assert sorted(met) == [0, 2]
    assert gate.batches == [[0], [2]]
    together.add(3)
    assert gate.batches[-1] == [3]


def test_whatever_fails_nobody_waits_for_ever_and_nobody_is_told_wrong():
    chance, kept, told = random.Random(7), set(), set()

    def commit(rows) -> None:
        if chance.random() < 0.3:
            raise OperationalError("not now")
        kept.update(rows)

    together = Together(commit)

    def add(start: int) -> None:
        for row in range(start, start + 200):
            with contextlib.suppress(OperationalError):
                together.add(row)
                assert row in kept
                told.add(row)

    threads = [threading.Thread(target=add, args=(start * 200,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert told == kept
    assert 0 < len(kept) < 1600


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
        somebody_leads = mock.patch.object(services._together, "_led", new=True)
        with somebody_leads, transaction.atomic(using="journal"), pytest.raises(RuntimeError):
            services.record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
