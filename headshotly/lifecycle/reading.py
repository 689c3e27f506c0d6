"""How a finding's clock reads on a page; pure."""

import datetime as dt
from dataclasses import dataclass

from headshotly.lifecycle.models import Finding
from headshotly.lifecycle.services import is_overdue
from headshotly.lifecycle.states import State


@dataclass(frozen=True, slots=True)
class Clock:
    """Where a finding's time stands.

    Attributes:
        words: in plain words; empty where no time runs.
        late: it is past its limit.
        share: of its time that is used, 0 to 100.
    """

    words: str
    late: bool
    share: int


def clock_of(finding: Finding, today: dt.date) -> Clock:
    """Return how a finding's time stands on a day."""
    late = is_overdue(finding, today)
    if finding.state == State.ACCEPTED and not late:
        return Clock(f"accepted until {finding.accepted_until}", late=False, share=0)
    if finding.state in {State.FIXED, State.FALSE_POSITIVE} or finding.due_on is None:
        return Clock("", late=False, share=0)
    left, whole = (finding.due_on - today).days, max(1, (finding.due_on - finding.clock_from.date()).days)
    share = min(100, max(0, round(100 * (whole - left) / whole)))
    if left < 0:
        return Clock(f"{_days(-left)} over", late=late, share=100)
    return Clock("due today" if left == 0 else f"{_days(left)} left", late=late, share=share)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
