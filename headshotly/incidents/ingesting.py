"""Keeping what sources deliver: each event once, beside its OCSF form, with who is heard of how lately."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import F

from headshotly.incidents.models import Event, Source
from headshotly.incidents.observation import RAW_BYTES_MAX, Observation
from headshotly.incidents.retention import keep_until
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

_ADVISORY_LOCK = 0x53_49_45_4D  # "SIEM": one detector at a time on PostgreSQL
_AHEAD = dt.timedelta(minutes=10)


def be_alone() -> None:
    """Wait until no other detector is in its transaction; on SQLite every writing transaction already is alone."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])


@enforces("8.2.b")
def keep(observations: Sequence[Observation]) -> list[tuple[Event, Observation]]:
    """Store what is new among observations, in the caller's transaction, and return it with its rows.

    A second delivery finds the first by its identity and is dropped, whether it comes at once or after a crash.
    """
    by_identity = {one.identity: one for one in observations}
    known = {
        bytes(identity)
        for identity in Event.objects.filter(identity__in=list(by_identity)).values_list("identity", flat=True)
    }
    fresh = [one for identity, one in by_identity.items() if identity not in known]
    now = clock.now()
    rows = Event.objects.bulk_create([_row(one, now) for one in fresh])
    _heard(Counter(one.source for one in fresh), {one.source: one.occurred_at for one in fresh}, now)
    return list(zip(rows, fresh, strict=True))


def _row(seen: Observation, now: dt.datetime) -> Event:
    # A clock far ahead would push every window beyond what is still to come.
    at = seen.occurred_at if seen.occurred_at <= now + _AHEAD else now
    return Event(
        identity=seen.identity,
        source=seen.source,
        class_uid=seen.ocsf["class_uid"],
        severity=seen.ocsf["severity_id"],
        occurred_at=at,
        received_at=now,
        act=_clean(seen.act[:120]),
        outcome=seen.outcome,
        actor=_clean(seen.actor[:120]),
        address=_clean(seen.address[:64]),
        subject=seen.subject,
        ocsf=_clean(seen.ocsf),
        raw=seen.raw[:RAW_BYTES_MAX],
        keep_until=keep_until(seen.ocsf["class_uid"], now),
    )


def _clean(value: Any) -> Any:
    """Return a value without what no database keeps in a text: zero characters and halves of characters."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode().replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {_clean(key): _clean(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(inner) for inner in value]
    return value


def _heard(counts: Mapping[str, int], latest: Mapping[str, dt.datetime], now: dt.datetime) -> None:
    for name, count in counts.items():
        Source.objects.get_or_create(name=name, defaults={"last_seen_at": now})
        Source.objects.filter(name=name).update(
            events=F("events") + count, last_seen_at=now, last_event_at=min(latest[name], now)
        )


def count_refused(source: str, count: int) -> None:
    """Count what a source delivered that is no event of that source."""
    Source.objects.get_or_create(name=source, defaults={"last_seen_at": clock.now()})
    Source.objects.filter(name=source).update(refused=F("refused") + count)
