"""The one clock: every time in the house is read here, in UTC."""

import datetime as dt
import time


def now() -> dt.datetime:
    """Return the present moment as an aware UTC datetime."""
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - the one place


def monotonic() -> float:
    """Return seconds on a clock that never runs backwards, for durations only."""
    return time.monotonic()
