"""What waits among the reports of weaknesses, and whom we thank."""

import datetime as dt
from dataclasses import dataclass

from headshotly.policy import clock, dates
from headshotly.policy.enforcement import enforces
from headshotly.proof.models import Thanks, WeaknessReport
from headshotly.proof.weakness_states import State

_SOON = dt.timedelta(days=1)
_NEWEST = 200


def open_reports() -> list[WeaknessReport]:
    """Return every report that is not closed, the one that must be acknowledged first in front."""
    return list(WeaknessReport.objects.exclude(state=State.CLOSED).order_by("acknowledged_at", "acknowledge_by"))


def closed_reports() -> list[WeaknessReport]:
    """Return the reports closed last."""
    return list(WeaknessReport.objects.filter(state=State.CLOSED).order_by("-closed_at")[:_NEWEST])


@enforces("10.3")
def unacknowledged() -> list[WeaknessReport]:
    """Return the reports that nobody acknowledged in time; clause 10.3 holds only while there are none."""
    return list(WeaknessReport.objects.filter(state=State.RECEIVED, acknowledge_by__lte=clock.now()))


def running_out() -> list[WeaknessReport]:
    """Return the reports to be acknowledged within a day, and those that should have been."""
    return list(WeaknessReport.objects.filter(state=State.RECEIVED, acknowledge_by__lte=clock.now() + _SOON))


@enforces("4.3.b")
def unfixed() -> list[WeaknessReport]:
    """Return the acknowledged reports whose limit for fixing is over; clause 4.3.b holds only while there are none."""
    return list(WeaknessReport.objects.filter(state=State.ACKNOWLEDGED, fix_by__lt=dates.today()))


@dataclass(frozen=True, slots=True)
class Counts:
    """What the public may know of the queue.

    Attributes:
        received: reports ever taken in, spam left out.
        open: of these not closed.
        late: waiting longer than promised, for an acknowledgement or a fix.
    """

    received: int
    open: int
    late: int


def counts() -> Counts:
    """Return the figures of the queue."""
    real = WeaknessReport.objects.exclude(outcome="spam")
    return Counts(
        received=real.count(),
        open=real.exclude(state=State.CLOSED).count(),
        late=len(unacknowledged()) + len(unfixed()),
    )


def hall() -> list[Thanks]:
    """Return everybody we thank in public, newest first."""
    return list(Thanks.objects.order_by("-thanked_on", "display_name"))
