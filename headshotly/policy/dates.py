"""Days as people write them: today is what the calendar says where the operator is, an hour or two ahead of UTC."""

import datetime as dt
from zoneinfo import ZoneInfo

from headshotly.policy import clock, configuration


def local(moment: dt.datetime) -> dt.datetime:
    """Return a moment as clocks show it where the operator is.

    Args:
        moment: aware.
    """
    return moment.astimezone(ZoneInfo(configuration.current().operator.time_zone))


def day_of(moment: dt.datetime) -> dt.date:
    """Return the date a moment falls on where the operator is.

    Args:
        moment: aware.
    """
    return local(moment).date()


def today() -> dt.date:
    """Return the date where the operator is."""
    return day_of(clock.now())
