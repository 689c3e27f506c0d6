"""Which sources must be heard of, and how long each may be silent before somebody is told."""

import datetime as dt
from collections.abc import Mapping

from headshotly.incidents import alerts
from headshotly.incidents.alerts import Finding
from headshotly.incidents.models import AlertKind, Level, Source
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces

# A line a minute comes through the same files and the same reader as everything else of this machine.
HEARTBEAT = "heartbeat"
_ALWAYS = {HEARTBEAT: dt.timedelta(minutes=5)}
_WHEN_READ = {
    "cloudtrail": dt.timedelta(hours=1),
    "vpc-flow": dt.timedelta(hours=1),
    "suricata": dt.timedelta(minutes=15),
}


def expected() -> dict[str, dt.timedelta]:
    """Return how long each source may be silent.

    Options: ``stream.silent.<source>`` in seconds; nought for a source that may be silent for ever.
    """
    options = configuration.current().options
    found = dict(_ALWAYS)
    found |= {name: longest for name, longest in _WHEN_READ.items() if _is_read(name, options)}
    for key, value in options.items():
        name = key.removeprefix("stream.silent.")
        if name != key and value.isdecimal():
            found[name] = dt.timedelta(seconds=int(value))
    return {name: longest for name, longest in found.items() if longest}


def _is_read(name: str, options: Mapping[str, str]) -> bool:
    return any(options.get(f"stream.{name}.{form}") for form in ("folder", "queue", "file"))


@enforces("8.2.b")
def silent(*, now: dt.datetime) -> list[tuple[str, dt.datetime]]:
    """Return the sources that are silent for too long, with when they were heard of last.

    A source never heard of counts from when it was first waited for.
    """
    found = []
    for name, longest in expected().items():
        source, _ = Source.objects.get_or_create(name=name, defaults={"last_seen_at": now})
        heard = source.last_seen_at or now
        if now - heard > longest:
            found.append((name, heard))
    return found


def alarm_silent() -> int:
    """Raise an alert for each source that fell silent, once for each silence; return how many are silent."""
    now = clock.now()
    found = silent(now=now)
    for name, heard in found:
        alerts.raise_alert(
            Finding(
                kind=AlertKind.STREAM,
                level=Level.HIGH,
                rule="stream-silent",
                title="A source of events fell silent",
                sentence=f"Nothing came from the source “{name}” since {heard:%Y-%m-%d %H:%M} UTC.",
                source=name,
                group={"source": name},
                began=heard.isoformat(),
                first_event_at=heard,
                last_event_at=now,
            )
        )
    return len(found)
