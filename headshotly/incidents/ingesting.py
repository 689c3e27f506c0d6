"""Keeping what sources deliver: each event once, beside its OCSF form, with who is heard of how lately."""

import datetime as dt
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import F

from headshotly.incidents.models import Event, Source
from headshotly.incidents.observation import RAW_BYTES_MAX, Observation
from headshotly.incidents.retention import keep_until
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.policy.inserting import Insert

_ADVISORY_LOCK = 0x53_49_45_4D  # "SIEM": one detector at a time on PostgreSQL
_AHEAD = dt.timedelta(minutes=10)
_COLUMNS = (
    "identity",
    "source",
    "class_uid",
    "severity",
    "occurred_at",
    "received_at",
    "act",
    "outcome",
    "actor",
    "address",
    "subject",
    "ocsf",
    "raw",
    "keep_until",
)
_EVENTS = Insert(Event, *_COLUMNS, ready=["ocsf"])


def be_alone() -> None:
    """Wait until no other detector is in its transaction; on SQLite every writing transaction already is alone."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])


class Kept(NamedTuple):
    """What the rules need of an event's row.

    Attributes:
        id: the row's.
        occurred_at: as it is kept; a clock far ahead of ours is not believed.
    """

    id: int
    occurred_at: dt.datetime


@enforces("8.2.b")
def keep(observations: Sequence[Observation]) -> list[tuple[Kept, Observation]]:
    """Store what is new among observations, in the caller's transaction, and return it with its rows.

    A second delivery finds the first by its identity and is dropped, whether it comes at once or after a crash.
    """
    by_identity = {one.identity: one for one in observations}
    known = {
        bytes(identity)
        for identity in Event.objects.filter(identity__in=list(by_identity)).values_list("identity", flat=True)
    }
    fresh = {identity: one for identity, one in by_identity.items() if identity not in known}
    now = clock.now()
    # A clock far ahead would push every window beyond what is still to come.
    moments = [one.occurred_at if one.occurred_at <= now + _AHEAD else now for one in fresh.values()]
    rows = [_row(identity, one, at, now) for (identity, one), at in zip(fresh.items(), moments, strict=True)]
    numbers = _EVENTS.write_numbered(rows, alias=DEFAULT_DB_ALIAS)
    seen = list(fresh.values())
    _heard(Counter(one.source for one in seen), {one.source: one.occurred_at for one in seen}, now)
    return list(zip(map(Kept, numbers, moments), seen, strict=True))


def _row(identity: bytes, seen: Observation, at: dt.datetime, now: dt.datetime) -> tuple[Any, ...]:
    """Return an event's value for each of ``_COLUMNS``."""
    return (
        identity,
        seen.source,
        seen.ocsf["class_uid"],
        seen.ocsf["severity_id"],
        at,
        now,
        _clean(seen.act[:120]),
        seen.outcome,
        _clean(seen.actor[:120]),
        _clean(seen.address[:64]),
        seen.subject,
        _clean_json(seen.ocsf),
        seen.raw[:RAW_BYTES_MAX],
        keep_until(seen.ocsf["class_uid"], now),
    )


def _clean_json(value: dict[str, Any]) -> str:
    """Return plain data as JSON; where a character is escaped at all, it may be one that no database keeps."""
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError:  # what Python reads as a number and JSON does not know
        return json.dumps(_clean(value), allow_nan=False)
    return json.dumps(_clean(value)) if "\\u" in text else text


def _clean(value: Any) -> Any:
    """Return a value without what no database keeps: zero characters, halves of characters, and no numbers at all."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode().replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {_clean(key): _clean(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _heard(counts: Mapping[str, int], latest: Mapping[str, dt.datetime], now: dt.datetime) -> None:
    for name, count in counts.items():
        row = Source.objects.filter(name=name)
        change = {"events": F("events") + count, "last_seen_at": now, "last_event_at": min(latest[name], now)}
        if not row.update(**change):  # its row is there nearly always
            Source.objects.get_or_create(name=name, defaults={"last_seen_at": now})
            row.update(**change)


def count_refused(source: str, count: int) -> None:
    """Count what a source delivered that is no event of that source."""
    Source.objects.get_or_create(name=source, defaults={"last_seen_at": clock.now()})
    Source.objects.filter(name=source).update(refused=F("refused") + count)
