"""The worker as a source: each task taken, ended or given back, each lease lost, and what went wrong."""

import datetime as dt
from typing import Any

from headshotly.incidents import ocsf
from headshotly.incidents.errors import EventRefused
from headshotly.incidents.flattening import Fields
from headshotly.incidents.observation import Observation
from headshotly.incidents.rulebook import LogSource
from headshotly.incidents.sources import application

_OUTCOMES = {
    "taken": "",
    "finished": "success",
    "failed": "failure",
    "returned": "",
    "lease-lost": "failure",
    "put-back": "failure",
    "given-up": "failure",
}


def observe(line: dict[str, Any], raw: bytes) -> Observation:
    """Return the event of one line that ``watching.saw_task`` or ``watching.saw_failure`` wrote.

    Raises:
        EventRefused: the line lacks what every line has.
    """
    if "what" not in line:
        return application.observe(line, raw)
    try:
        at, uid = dt.datetime.fromisoformat(line["at"]), str(line["id"])
        what, where, attempt = str(line["what"]), str(line["where"]), int(line["attempt"])
        outcome, task, error = _OUTCOMES[what], str(line["task"]), str(line.get("error", ""))
        seconds = float(line.get("seconds", 0.0))
    except (KeyError, TypeError, ValueError) as trouble:
        raise EventRefused("A line of the worker is not as it is written.") from trouble
    fields: Fields = {
        "what": what,
        "where": where,
        "task": task,
        "attempt": attempt,
        "error": error,
        "seconds": seconds,
    }
    return Observation(
        source="worker",
        native_id=uid,
        occurred_at=at,
        log_source=LogSource("application", "headshotly", "worker"),
        fields={name: value for name, value in fields.items() if value != ""},
        ocsf=ocsf.event(
            ocsf.API,
            activity=ocsf.OTHER,
            activity_name=what,
            at=at,
            source="worker",
            uid=uid,
            outcome=outcome,
            severity=2 if outcome == "failure" else 1,
            duration=int(seconds * 1000),
            actor={"user": {"uid": "worker"}},
            api={"operation": where, "request": {"uid": task}, **({"response": {"error": error}} if error else {})},
            src_endpoint={"name": "headshotly"},
            unmapped={"attempt": attempt},
        ),
        raw=raw,
        act=f"{what}: {where}"[:120],
        outcome=outcome,
        actor="worker",
    )
