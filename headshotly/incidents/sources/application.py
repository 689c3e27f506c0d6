"""Errors of the application as a source: the kind and place of an exception, for Django and for the worker."""

import datetime as dt
from typing import Any

from headshotly.incidents import ocsf
from headshotly.incidents.errors import EventRefused
from headshotly.incidents.observation import Observation
from headshotly.incidents.rulebook import LogSource


def observe(line: dict[str, Any], raw: bytes) -> Observation:
    """Return the event of one line that ``watching.saw_failure`` wrote.

    Raises:
        EventRefused: the line lacks what every line has.
    """
    try:
        at, uid = dt.datetime.fromisoformat(line["at"]), str(line["id"])
        product, error, where = str(line["product"]), str(line["error"]), str(line["where"])
    except (KeyError, TypeError, ValueError) as trouble:
        raise EventRefused("A line about an error is not as it is written.") from trouble
    source = "worker" if product == "python" else "web-errors"
    return Observation(
        source=source,
        native_id=uid,
        occurred_at=at,
        log_source=LogSource("application", product, source),
        fields={"error": error, "where": where},
        ocsf=ocsf.event(
            ocsf.API,
            activity=ocsf.OTHER,
            activity_name="error",
            at=at,
            source=source,
            uid=uid,
            outcome="failure",
            severity=3,
            api={"operation": where, "response": {"error": error}},
            actor={"user": {"uid": "system"}},
            src_endpoint={"name": "headshotly"},
        ),
        raw=raw,
        act=f"{error} in {where}"[:120],
        outcome="failure",
    )
