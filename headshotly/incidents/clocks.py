"""The clocks of a personal-data breach: pure functions from the event to the last allowed moment.

The 72 hours count through nights, weekends and holidays and are never extended by them.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from headshotly.policy.enforcement import enforces

AUTHORITY_HOURS = 72  # GDPR Art. 33(1)
PEOPLE_HOURS = 72  # GDPR Art. 34 says "without undue delay"; this is the house limit
RESIDENTS_DAYS = 30  # Cal. Civ. Code 1798.82 as amended by SB 446
ATTORNEY_GENERAL_DAYS = 15  # Cal. Civ. Code 1798.82(f)
ATTORNEY_GENERAL_ABOVE = 500  # residents, Cal. Civ. Code 1798.82(f)
PACIFIC = ZoneInfo("America/Los_Angeles")


@dataclass(frozen=True, slots=True)
class AuthorityDeadline:
    """Until when the supervisory authority must be told.

    Attributes:
        target: awareness plus 72 elapsed hours, UTC; what the product works towards.
        legal_latest: the hour of awareness is not counted (Regulation 1182/71, art. 3(1)), UTC.
    """

    target: dt.datetime
    legal_latest: dt.datetime


@enforces("8.3.a")
def authority_notice(aware: dt.datetime) -> AuthorityDeadline:
    """Return the deadline of the notice to the authority (GDPR Art. 33(1)).

    Args:
        aware: aware datetime of becoming aware of the breach.

    Raises:
        ValueError: the datetime has no time zone.
    """
    moment = _in_utc(aware)
    whole_hour = moment.replace(minute=0, second=0, microsecond=0)
    return AuthorityDeadline(
        target=moment + dt.timedelta(hours=AUTHORITY_HOURS),
        legal_latest=whole_hour + dt.timedelta(hours=AUTHORITY_HOURS + 1),
    )


@enforces("8.3.b")
def people_told_by(found_high: dt.datetime) -> dt.datetime:
    """Return the house limit for telling the people affected, in UTC (GDPR Art. 34)."""
    return _in_utc(found_high) + dt.timedelta(hours=PEOPLE_HOURS)


@enforces("8.3.c")
def residents_told_by(discovered: dt.datetime, *, operator_zone: ZoneInfo) -> dt.date:
    """Return the last day to tell residents of California.

    Args:
        discovered: aware datetime of discovery.
        operator_zone: the operator's time zone; the earlier of the two local dates starts the clock.
    """
    moment = _in_utc(discovered)
    first_day = min(moment.astimezone(PACIFIC).date(), moment.astimezone(operator_zone).date())
    return first_day + dt.timedelta(days=RESIDENTS_DAYS)


@enforces("8.3.c")
def attorney_general_by(told: dt.date, *, residents: int) -> dt.date | None:
    """Return the last day for the Attorney General's copy, or None where the number needs none.

    Args:
        told: day on which the residents were told.
        residents: how many residents of California were told.
    """
    if residents <= ATTORNEY_GENERAL_ABOVE:
        return None
    return told + dt.timedelta(days=ATTORNEY_GENERAL_DAYS)


def _in_utc(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise ValueError("a legal clock needs a time zone")
    return moment.astimezone(dt.UTC)
