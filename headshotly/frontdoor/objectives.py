"""The service's objectives (SLOs): what is counted, and what of it counts as good. Knows no database.

Terms as in Google's Site Reliability Workbook, chapters 2 and 5: an objective is a target for the share of good events;
its error budget is what may go wrong; a burn rate of one uses the budget up exactly in the window.
"""

import datetime as dt
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

WINDOW = dt.timedelta(days=30)
KINDS = frozenset({"requests", "jobs", "journal"})
_SERVER_FAULT = 500
# Asked by machines every few seconds; counted in, they would hide what people meet.
NOT_COUNTED = frozenset({"health", "metrics", "health-live", "health-ready"})


@dataclass(frozen=True, slots=True)
class Alarm:
    """One pair of windows: both must burn this fast, so that it is neither a spike nor long over.

    Attributes:
        long: the window that says it matters.
        short: the window that says it still goes on.
        rate: burn rate in both.
        severity: ``page`` for somebody now, ``ticket`` for somebody tomorrow.
    """

    long: dt.timedelta
    short: dt.timedelta
    rate: float
    severity: Literal["page", "ticket"]


# The Site Reliability Workbook's table 5-8: 2 % of the budget in an hour, 5 % in six, 10 % in three days.
ALARMS = (
    Alarm(dt.timedelta(hours=1), dt.timedelta(minutes=5), 14.4, "page"),
    Alarm(dt.timedelta(hours=6), dt.timedelta(minutes=30), 6.0, "page"),
    Alarm(dt.timedelta(days=3), dt.timedelta(hours=6), 1.0, "ticket"),
)


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective.

    Attributes:
        id: its name.
        promise: one sentence.
        kind: what is counted.
        target: share of good events, above nought and below one.
        routes: names of the addresses counted; every one where none is named.
        seconds: how long a good event may take; None where only a fault counts.
    """

    id: str
    promise: str
    kind: str
    target: float
    routes: frozenset[str] = frozenset()
    seconds: float | None = None

    @property
    def budget(self) -> float:
        """Return the share of events that may go wrong."""
        return 1.0 - self.target


def parse(text: str) -> dict[str, Objective]:
    """Return the objectives of a TOML document, by id.

    Raises:
        ValueError: one is none, in one plain sentence.
    """
    found = {}
    for name, fields in tomllib.loads(text).items():
        given: dict[str, Any] = dict(fields)
        given["routes"] = frozenset(given.get("routes", ()))
        try:
            one = Objective(id=name, **given)
        except TypeError:
            raise ValueError(f"the objective “{name}” has fields that no objective has, or lacks some") from None
        if not 0.0 < one.target < 1.0 or one.kind not in KINDS or not one.promise:
            raise ValueError(f"the objective “{name}” needs a promise, a kind and a target between 0 and 1")
        if one.kind != "requests" and one.seconds is None:
            raise ValueError(f"the objective “{name}” must say how long is good")
        found[name] = one
    return found


@cache
def objectives() -> dict[str, Objective]:
    """Return the objectives in force."""
    return parse(Path(__file__).with_name("objectives.toml").read_text(encoding="utf-8"))


def judge(route: str, status: int, seconds: float) -> list[tuple[str, bool]]:
    """Return which objectives count an answered request, and whether it was good.

    Args:
        route: name of the address; ``none`` where there is none.
        status: HTTP status.
        seconds: how long the answer took.
    """
    if route in NOT_COUNTED:
        return []
    return [
        (one.id, status < _SERVER_FAULT and (one.seconds is None or seconds <= one.seconds))
        for one in objectives().values()
        if one.kind == "requests" and (not one.routes or route in one.routes)
    ]


def of_kind(kind: str) -> list[Objective]:
    """Return the objectives that count one kind of thing."""
    return [one for one in objectives().values() if one.kind == kind]
