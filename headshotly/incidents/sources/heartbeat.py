"""The heartbeat as a source: a line a minute that goes the way of every other line, so that its absence is heard."""

import datetime as dt
from typing import Any

from headshotly.incidents import ocsf
from headshotly.incidents.errors import EventRefused
from headshotly.incidents.observation import Observation
from headshotly.incidents.rulebook import LogSource


def observe(line: dict[str, Any], raw: bytes) -> Observation:
    """Return the event of one heartbeat; one that was planted carries the mark by which its alert is found.

    Raises:
        EventRefused: the line lacks what every line has.
    """
    try:
        at, uid, planted = dt.datetime.fromisoformat(line["at"]), str(line["id"]), str(line.get("planted", ""))
    except (KeyError, TypeError, ValueError) as error:
        raise EventRefused("A heartbeat is not as it is written.") from error
    return Observation(
        source="heartbeat",
        native_id=uid,
        occurred_at=at,
        log_source=LogSource("heartbeat", "headshotly", "heartbeat"),
        fields={"planted": planted} if planted else {},
        ocsf=ocsf.event(
            ocsf.BASE, activity=ocsf.OTHER, at=at, source="heartbeat", uid=uid, message="heartbeat", severity=1
        ),
        raw=raw,
        act="heartbeat",
        actor=f"test:{planted}" if planted else "",
    )
