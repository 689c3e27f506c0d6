"""Several sequencers at once, as on several machines: each entry is sequenced once, and the tree is whole."""

import threading
import time
from uuid import uuid4

import pytest
from django.db import OperationalError, connections

from headshotly.audit import sequencing, services
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.audit.models import Disclosure, Entry, PendingEntry, SignedHead
from headshotly.audit.verification import verify

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "journal"]),
    pytest.mark.usefixtures("witness_folder"),
]
WRITERS, EACH, SEQUENCERS = 2, 25, 3


def test_several_sequencers_at_once_lose_and_double_nothing() -> None:
    failures: list[BaseException] = []
    writing = threading.Event()
    writing.set()

    def write() -> None:
        try:
            for number in range(EACH):
                subject = uuid4()
                record = services.record if number % 2 else services.record_durably
                record(actor=SYSTEM, act=Act.PHOTO_DELETED, subject=subject)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    def sequence() -> None:
        try:
            while writing.is_set() or PendingEntry.objects.exists() or Disclosure.objects.using("journal").exists():
                try:
                    sequencing.sequence_once()
                except OperationalError as error:  # SQLite has one writer, and lets others wait only so long
                    if connections["default"].vendor == "postgresql":
                        failures.append(error)
                        return
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    writers = [threading.Thread(target=write) for _ in range(WRITERS)]
    sequencers = [threading.Thread(target=sequence) for _ in range(SEQUENCERS)]
    for thread in [*writers, *sequencers]:
        thread.start()
    for thread in writers:
        thread.join(60)
    time.sleep(0.2)
    writing.clear()
    for thread in sequencers:
        thread.join(60)
    assert not failures, failures
    assert Entry.objects.count() == WRITERS * EACH
    assert sorted(Entry.objects.values_list("index", flat=True)) == list(range(WRITERS * EACH))
    assert SignedHead.objects.order_by("-size").values_list("size", flat=True).first() == WRITERS * EACH
    verify()
