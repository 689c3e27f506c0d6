"""In how many days a finding must be fixed, by its severity; the operator's choice (clause 4.3.b).

Options ``findings.days.critical``, ``…high``, ``…medium``, ``…low``: whole days. What is for information has no limit.
"""

import datetime as dt

from headshotly.lifecycle.errors import LimitsRefused
from headshotly.lifecycle.severity import Severity
from headshotly.policy import configuration, dates
from headshotly.policy.enforcement import enforces

DEFAULT_DAYS = {Severity.CRITICAL: 7, Severity.HIGH: 30, Severity.MEDIUM: 90, Severity.LOW: 180}
LONGEST_DAYS = 366
LONGEST_ACCEPTANCE = dt.timedelta(days=366)


def days() -> dict[Severity, int]:
    """Return the limits in force.

    Raises:
        LimitsRefused: one is no whole number from 1 to 366, or a worse severity has more time than a milder one.
    """
    options = configuration.current().options
    found = {}
    for severity, default in DEFAULT_DAYS.items():
        said = options.get(f"findings.days.{severity.value}", str(default)).strip()
        if not (said.isascii() and said.isdigit() and 1 <= int(said[:5]) <= LONGEST_DAYS):
            raise LimitsRefused(f"The option findings.days.{severity.value} takes whole days from 1 to {LONGEST_DAYS}.")
        found[severity] = int(said)
    ordered = list(found.values())
    if ordered != sorted(ordered):
        raise LimitsRefused("A worse finding cannot have more time than a milder one; look at findings.days.")
    return found


@enforces("4.3.b")
def due_on(began_at: dt.datetime, severity: Severity) -> dt.date | None:
    """Return the last day for fixing, or None where there is nothing to fix.

    Args:
        began_at: aware; when it was seen first, or again after it was fixed.
        severity: how bad it is.

    Raises:
        LimitsRefused: the operator's limits make no sense.
    """
    allowed = days().get(severity)
    return None if allowed is None else dates.day_of(began_at) + dt.timedelta(days=allowed)
