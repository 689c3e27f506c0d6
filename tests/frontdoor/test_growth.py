"""What is asked often, or while somebody waits, is looked up: no such query reads a table that grows from end to end."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from headshotly.accounts import selectors as accounts
from headshotly.incidents import querying
from headshotly.incidents import selectors as alerts
from headshotly.orders import events, reconciliation, selectors, services, spending
from headshotly.orders.models import Seat
from headshotly.policy import clock
from headshotly.rights.models import Delivery
from headshotly.studio import selectors as studio
from headshotly.vault import selectors as vault
from headshotly.vault.models import StoredObject

pytestmark = pytest.mark.django_db
ASKED: dict[str, Callable[[], Any]] = {
    "which of some objects nobody names": lambda: studio.unnamed_among([uuid4(), uuid4()]),
    "objects of some kinds": lambda: list(vault.object_ids(kinds=("photo", "export"), sealed_before=clock.now())),
    "newest objects": lambda: vault.newest_objects(5),
    "kinds kept": vault.kinds_kept,
    "shoots reserved too long": lambda: spending.overdue(clock.now()),
    "messages that wait": events.process_waiting,
    "messages that are stuck": lambda: list(selectors.stuck_messages()),
    "messages that waited too long": reconciliation._end_waiting,
    "refunds to send": services.send_refunds,
    "open refunds": lambda: (list(selectors.open_refunds()), selectors.open_refunds().count()),
    "orders nobody paid": reconciliation._forget_unpaid,
    "newest orders": lambda: list(selectors.newest()),
    "somebody's copy of their orders": lambda: selectors.export_of(uuid4()),
    "somebody's seat when they leave": lambda: Seat.objects.filter(subject=uuid4()).update(subject=None),
    "somebody's mails": lambda: list(Delivery.objects.filter(subject=uuid4()).order_by("next_at")),
    "open alerts": alerts.open_alerts,
    "sources of events": querying.sources,
    "an account unused for long": lambda: accounts.is_unused_since(uuid4(), clock.now()),
}  # fmt: skip
INDEXES = [
    "object_kind_sealed", "order_created", "order_state", "spend_reserved", "seat_subject", "refund_open",
    "event_waiting", "rights_mail_subject", "alert_open",
]  # fmt: skip
# Partial indexes that hold nothing but what waits, and a table with one row for each source of events.
_SHORT = {"refund_open", "event_waiting", "alert_open", "spend_reserved", "incidents_source"}


@pytest.fixture(autouse=True)
def _rows(monkeypatch) -> None:
    """Objects of three kinds, some sealed at the same moment, asked for by twos."""
    monkeypatch.setattr(vault, "_BATCH", 2)
    began = clock.now() - dt.timedelta(days=1)
    for number in range(15):
        sealed_at, kind = began + dt.timedelta(minutes=number // 6), ("photo", "preview", "export")[number % 3]
        StoredObject.objects.create(subject=uuid4(), kind=kind, purpose="x", sealed_bytes=1, sealed_at=sealed_at)


def _explained(asked: Callable[[], Any]) -> list[tuple[str, str]]:
    """Return each statement that reads, with what the database says it does for it."""
    asked_for: list[tuple[str, Any]] = []

    def note(execute, sql, params, many, context):
        asked_for.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        asked()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # it reads tiny tables whole wherever it may
            cursor.execute("SET LOCAL enable_seqscan = off")
        how = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        return [
            (sql, str(row[-1]))
            for sql, params in asked_for
            if re.match("SELECT|UPDATE|DELETE", sql)
            # SQLite keeps prepared statements, and explains one that it knows as it did before.
            for row in cursor.execute(f"{how} {sql} -- {uuid4()}", params).fetchall()
        ]


def _scans(asked: Callable[[], Any]) -> list[str]:
    """Return the steps in which a table is read whole, or all that is older than something.

    Not those that go along an index up to a LIMIT, with nothing passed over.
    """
    plan = _explained(asked)
    assert plan
    whole = [(sql, step) for sql, step in plan if re.match(r"SCAN|SEARCH.*\(\w+<\?\)|.*Seq Scan on", step)]
    return [
        step
        for sql, step in whole
        if not (_SHORT & set(step.split())) and not ("INDEX" in step and "LIMIT" in sql and "WHERE" not in sql)
    ]


@pytest.mark.parametrize("name", ASKED)
def test_it_is_looked_up(name) -> None:
    assert _scans(ASKED[name]) == []


@pytest.mark.parametrize("index", INDEXES)
def test_each_index_is_used_and_without_it_something_would_be_read_whole(index) -> None:
    assert any(index in step for asked in ASKED.values() for _, step in _explained(asked))
    if connection.vendor == "sqlite":  # PostgreSQL, told not to, would go along any other index
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX {index}")  # undone with the test's transaction
        assert any(_scans(asked) for asked in ASKED.values())


def test_objects_are_all_found_once_however_many_were_sealed_at_one_moment() -> None:
    rows = list(StoredObject.objects.order_by("kind", "sealed_at", "id"))
    cut = max(one.sealed_at for one in rows)
    for kinds in (("export", "photo", "preview"), ("photo",), ("none",)):
        wanted = [one.id for one in rows if one.kind in kinds and one.sealed_at < cut]
        assert list(vault.object_ids(kinds=kinds, sealed_before=cut)) == wanted
    going = vault.object_ids(kinds=("photo",), sealed_before=clock.now())
    assert sum(StoredObject.objects.filter(id=one).delete()[0] for one in going) == 5
    assert vault.kinds_kept() == {"export", "preview"}
    left = sorted(((one.sealed_at, one.subject, one.id) for one in rows if one.kind != "photo"), reverse=True)
    assert [one[1:] for one in left[:4]] == vault.newest_objects(4)
    assert len(vault.newest_objects(100)) == 10
