"""The test of the whole way: an event is planted among the others, and its alert must come in time (clause 8.2.a)."""

import datetime as dt
import secrets
import time
from collections.abc import Callable
from uuid import NAMESPACE_URL, uuid4, uuid5

from headshotly.incidents import spool
from headshotly.incidents.models import Alert
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

LIMIT_SECONDS = 2.0
_LOOK = 0.05


def beat() -> None:
    """Leave a heartbeat."""
    spool.writer("heartbeat").append({"id": uuid4().hex, "at": clock.now().isoformat()})


@enforces("8.2.a")
def plant() -> str:
    """Leave an event that raises an alert, and return the mark by which that is found."""
    mark = secrets.token_hex(8)
    spool.writer("heartbeat").append({"id": uuid4().hex, "at": clock.now().isoformat(), "planted": mark})
    return mark


def alert_of(mark: str) -> Alert | None:
    """Return the alert that a planted event raised, or None where it has not yet."""
    return Alert.objects.filter(actor=f"test:{mark}").first()


def wait_for(mark: str, *, at_most: float) -> float | None:
    """Return after how many seconds the alert of a planted event was there, or None where it did not come.

    Args:
        mark: of the event, planted just before.
        at_most: seconds to wait.
    """
    return _wait(lambda: alert_of(mark) is not None, at_most)


def wait_for_blocked(*, since: dt.datetime, at_most: float) -> float | None:
    """Return after how many seconds an alert told of a request blocked since a moment, or None where none did.

    Args:
        since: aware moment before the request.
        at_most: seconds to wait.
    """
    rule = str(uuid5(NAMESPACE_URL, "headshotly:rule:request_blocked"))
    return _wait(lambda: Alert.objects.filter(rule=rule, last_event_at__gte=since).exists(), at_most)


def _wait(there: Callable[[], bool], at_most: float) -> float | None:
    began = clock.monotonic()
    while clock.monotonic() - began < at_most:
        if there():
            return clock.monotonic() - began
        time.sleep(_LOOK)
    return None
