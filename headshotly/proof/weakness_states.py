"""What a report of a weakness may be, and its clocks (clauses 4.3.b and 10.3); pure."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.db.models import TextChoices

from headshotly.lifecycle import limits
from headshotly.policy.calendars import Closed, add_business_days, closed_in_poland

ACKNOWLEDGE_DAYS = 3  # working days; ISO/IEC 29147:2018 asks for seven calendar days


class Channel(TextChoices):
    """Which way a report came."""

    FORM = "form", "Form"
    MAIL = "mail", "Mail"


class State(TextChoices):
    """Where a report stands."""

    RECEIVED = "received", "Waits for acknowledgement"
    ACKNOWLEDGED = "acknowledged", "Being worked on"
    CLOSED = "closed", "Closed"


class Severity(TextChoices):
    """How bad it is; sets the limit for fixing."""

    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"
    NONE = "none", "No weakness"


class Outcome(TextChoices):
    """How a report ended."""

    FIXED = "fixed", "Fixed"
    KNOWN = "known", "Known already"
    ACCEPTED = "accepted", "Accepted risk"
    NONE = "none", "No weakness"
    SPAM = "spam", "Not about security"


def fix_days() -> dict[Severity, int]:
    """Return in how many days a reported weakness must be fixed: the same limits as for every other finding.

    Raises:
        LimitsRefused: the operator's limits make no sense.
    """
    return {Severity(severity.value): days for severity, days in limits.days().items()}


def acknowledge_by(
    received_at: dt.datetime, *, zone: str, days: int = ACKNOWLEDGE_DAYS, closed: Closed = closed_in_poland
) -> dt.datetime:
    """Return the last moment at which a person must have acknowledged a report.

    Args:
        received_at: aware; the day it falls on in the operator's zone is not counted.
        zone: IANA name of the operator's zone.
        days: working days, one or more.
        closed: which days are none.

    Returns:
        The end of the last day, in UTC.
    """
    local = ZoneInfo(zone)
    last = add_business_days(received_at.astimezone(local).date(), days, closed=closed)
    return dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), tzinfo=local).astimezone(dt.UTC)


def fix_by(acknowledged_at: dt.datetime, severity: Severity, *, zone: str) -> dt.date | None:
    """Return the day by which a weakness must be fixed, or None where there is nothing to fix.

    Raises:
        LimitsRefused: the operator's limits make no sense.
    """
    days = fix_days().get(severity)
    return None if days is None else acknowledged_at.astimezone(ZoneInfo(zone)).date() + dt.timedelta(days=days)
