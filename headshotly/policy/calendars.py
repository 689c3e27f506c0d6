"""Calendar arithmetic of the legal clocks: months, working days, business days.

Sources: Regulation (EEC, Euratom) 1182/71, art. 3 (European periods); 11 CCR 7000 ff. (Californian ones).
The holiday calendars are the ``holidays`` library's and can be replaced where a function takes ``closed``.
"""

import calendar
import datetime as dt
from collections.abc import Callable
from functools import cache

import holidays

type Closed = Callable[[dt.date], bool]

ONE_DAY = dt.timedelta(days=1)
SATURDAY = 5


@cache
def _poland() -> holidays.HolidayBase:
    return holidays.country_holidays("PL")


@cache
def _united_states() -> holidays.HolidayBase:
    return holidays.country_holidays("US")


def closed_in_poland(day: dt.date) -> bool:
    """Say whether a day is a Saturday, a Sunday or a Polish public holiday (24 December since 2025)."""
    return day.weekday() >= SATURDAY or day in _poland()


def closed_in_california(day: dt.date) -> bool:
    """Say whether a day is no business day: a weekend or a federal holiday.

    The day after Thanksgiving is a state holiday but counts here: the shorter period is the safe one.
    """
    return day.weekday() >= SATURDAY or day in _united_states()


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same date some months later, or that month's last day where it has no such date.

    Args:
        day: the date to count from.
        months: how many months, zero or more.

    Source: Regulation 1182/71, art. 3(2)(c).
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last))


def roll_forward(day: dt.date, *, closed: Closed = closed_in_poland) -> dt.date:
    """Return the day itself, or the next one that is open (Regulation 1182/71, art. 3(4))."""
    while closed(day):
        day += ONE_DAY
    return day


def add_business_days(day: dt.date, count: int, *, closed: Closed = closed_in_california) -> dt.date:
    """Return the last of ``count`` business days after a day, which itself is not counted.

    Raises:
        ValueError: the count is not positive.
    """
    if count < 1:
        raise ValueError("count at least one business day")
    while count:
        day += ONE_DAY
        count -= not closed(day)
    return day
