"""Rows written without Django's objects are, read back, those that Django itself would have written."""

import datetime as dt
import enum
import json
from uuid import UUID, uuid4

import pytest
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from headshotly.audit.models import Subtree
from headshotly.incidents.models import Event
from headshotly.policy import inserting
from headshotly.policy.inserting import Insert

pytestmark = pytest.mark.django_db
_COLUMNS = [one.name for one in Event._meta.concrete_fields if not one.primary_key]
_NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
_TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=16)
_MOMENTS = st.datetimes(
    dt.datetime(2020, 1, 1),
    dt.datetime(2040, 1, 1),
    timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=5))]),
)


class _Colour(enum.StrEnum):
    RED = "red"


def _values(**changed: object) -> dict[str, object]:
    return {
        "identity": uuid4().bytes * 2,
        "source": "web",
        "class_uid": 4002,
        "severity": 1,
        "occurred_at": _NOON,
        "received_at": _NOON,
        "act": "",
        "outcome": "",
        "actor": "",
        "address": "",
        "subject": None,
        "ocsf": {},
        "raw": b"",
        "keep_until": _NOON,
        **changed,
    }


def _row(values: dict[str, object]) -> list[object]:
    return [values[name] for name in _COLUMNS]


def _read(number: int) -> dict[str, object]:
    event = Event.objects.get(id=number)
    found = {name: getattr(event, name) for name in _COLUMNS}
    return found | {name: bytes(found[name]) for name in ("identity", "raw")}


@given(
    st.lists(
        st.builds(
            _values,
            act=_TEXT,
            actor=_TEXT,
            class_uid=st.integers(0, 2**31 - 1),
            severity=st.integers(0, 6),
            occurred_at=_MOMENTS,
            subject=st.none() | st.uuids(),
            ocsf=st.dictionaries(_TEXT, st.integers(0, 9) | _TEXT, max_size=3),
            raw=st.binary(max_size=16),
        ),
        max_size=5,
    )
)
def test_what_is_written_is_read_as_it_was_given(several: list[dict[str, object]]) -> None:
    numbers = Insert(Event, *_COLUMNS).write_numbered([_row(one) for one in several], alias=DEFAULT_DB_ALIAS)
    assert [_read(number) for number in numbers] == several
    for number, one in zip(numbers, several, strict=True):
        own = Event.objects.create(**one | {"identity": uuid4().bytes * 2})
        same = ["subject", "occurred_at", "ocsf", "act", "raw"]
        assert (
            Event.objects.filter(id=number).values_list(*same)[0]
            == Event.objects.filter(id=own.id).values_list(*same)[0]
        )


def test_values_of_another_kind_go_the_way_that_django_goes() -> None:
    given_ = _values(act=_Colour.RED, subject=str(UUID(int=7)), severity=True, occurred_at=_NOON.isoformat())
    [number] = Insert(Event, *_COLUMNS).write_numbered([_row(given_)], alias=DEFAULT_DB_ALIAS)
    found = _read(number)
    assert (found["act"], found["subject"], found["severity"]) == ("red", UUID(int=7), 1)
    assert found["occurred_at"] == _NOON


def test_json_that_is_ready_is_taken_as_it_stands() -> None:
    document = {"name": "Łódź", "many": [1, 2.5, None]}
    row = _row(_values(ocsf=json.dumps(document)))
    [number] = Insert(Event, *_COLUMNS, ready=["ocsf"]).write_numbered([row], alias=DEFAULT_DB_ALIAS)
    assert _read(number)["ocsf"] == document
    assert Event.objects.filter(ocsf__name="Łódź").count() == 1


@pytest.mark.parametrize("many", [0, 1, inserting._ROWS_AT_ONCE, inserting._ROWS_AT_ONCE + 1])
def test_more_rows_than_a_statement_takes_keep_their_order(many: int) -> None:
    rows = [_row(_values(act=str(number))) for number in range(many)]
    numbers = Insert(Event, *_COLUMNS).write_numbered(rows, alias=DEFAULT_DB_ALIAS)
    found = dict(Event.objects.values_list("id", "act"))
    assert [found[number] for number in numbers] == [str(number) for number in range(many)]


def test_a_statement_holds_no_more_rows_than_the_database_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.ops, "bulk_batch_size", lambda _fields, _rows: 2)
    rows = [(0, position, bytes(32)) for position in range(5)]
    with CaptureQueriesContext(connection) as asked:
        Insert(Subtree, "level", "position", "hash").write(rows, alias=DEFAULT_DB_ALIAS)
    assert len(asked) == 3
    assert Subtree.objects.count() == len(rows)


def test_what_the_database_refuses_is_not_written() -> None:
    insert, twice = Insert(Subtree, "level", "position", "hash"), [(0, 0, b"one"), (0, 0, b"two")]
    with pytest.raises(DatabaseError), transaction.atomic():
        insert.write(twice, alias=DEFAULT_DB_ALIAS)
    assert Subtree.objects.count() == 0


def test_a_row_with_too_few_values_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"), transaction.atomic():
        Insert(Subtree, "level", "position", "hash").write([(0, 0)], alias=DEFAULT_DB_ALIAS)
    assert Subtree.objects.count() == 0
