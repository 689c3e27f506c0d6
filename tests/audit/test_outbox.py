"""Entries wait in line to be written, several of one deed go together, and what cannot be written opens nothing."""

import fcntl
import os
import threading
from pathlib import Path
from unittest import mock
from uuid import UUID

import pytest
from django.db import DatabaseError, connections, transaction

from headshotly.audit import outbox, selectors
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.audit.errors import JournalUnavailable
from headshotly.audit.leaf import decode
from headshotly.audit.models import Disclosure, Entry, PendingEntry
from headshotly.audit.sequencing import sequence_once
from headshotly.audit.services import record, record_durably

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])


@pytest.mark.clause("5.3.a")
def test_what_a_deed_also_is_becomes_an_entry_of_its_own_in_the_same_commit():
    with mock.patch("headshotly.audit.services.outbox.insert", wraps=outbox.insert) as inserted:
        own = record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED, also=[Act.HEADSHOT_DOWNLOADED])
    assert inserted.call_count == 1
    assert selectors.waiting() == 2
    sequence_once()
    leaves = [decode(bytes(entry.leaf)) for entry in Entry.objects.order_by("index")]
    assert [leaf.act for leaf in leaves] == [Act.OBJECT_OPENED, Act.HEADSHOT_DOWNLOADED]
    assert leaves[0].entry_id == own
    assert leaves[1].entry_id != own


@pytest.mark.clause("5.3.a")
def test_of_several_entries_of_a_deed_all_are_kept_or_none():
    twice = [(UUID(int=7), b"leaf", b"", b"tag")] * 2
    with pytest.raises(DatabaseError), transaction.atomic(using="journal"):
        outbox.insert(Disclosure, twice, alias="journal")
    assert Disclosure.objects.using("journal").count() == 0


def test_a_waiting_row_is_as_django_reads_it():
    details = bytes(range(256))
    record(actor=SYSTEM, act=Act.KEY_CREATED, sealed_details=details)
    row = PendingEntry.objects.get()
    assert bytes(row.sealed_details) == details
    assert decode(bytes(row.leaf)).entry_id == row.entry_id
    assert len(row.tag)


def test_an_entry_of_a_transaction_that_rolls_back_is_none():
    with transaction.atomic():
        record(actor=SYSTEM, act=Act.KEY_CREATED)
        transaction.set_rollback(True)
    assert PendingEntry.objects.count() == 0


def _line() -> str:
    return f"{connections['journal'].settings_dict['NAME']}-turns"


@pytest.mark.clause("5.3.a")
def test_who_opens_stands_in_line_and_goes_on_when_it_is_their_turn():
    if connections["journal"].vendor != "sqlite":
        with outbox.turn():  # nothing to wait for, and nothing left behind
            assert not Path(_line()).exists()
        return
    before = os.open(_line(), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(before, fcntl.LOCK_EX)
    through = threading.Event()

    def opens() -> None:
        record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
        connections.close_all()
        through.set()

    thread = threading.Thread(target=opens)
    thread.start()
    assert not through.wait(0.2)
    os.close(before)  # as when the process that held the line dies
    assert through.wait(10)
    thread.join()
    assert selectors.waiting() == 1


@pytest.mark.clause("5.3.a")
def test_without_a_line_nothing_is_opened(monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError("no more descriptors")

    if connections["journal"].vendor == "sqlite":
        monkeypatch.setattr(outbox.os, "open", full)
    else:
        monkeypatch.setattr(outbox, "insert", full)
    with pytest.raises(JournalUnavailable):
        record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
    monkeypatch.undo()
    assert selectors.waiting() == 0
