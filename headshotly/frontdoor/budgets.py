"""How the objectives stand: shares of good events, what is left of the budgets, and how fast they burn."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Sum

from headshotly.frontdoor import objectives
from headshotly.frontdoor.models import ObjectiveCount
from headshotly.frontdoor.objectives import Alarm, Objective
from headshotly.frontdoor.tally import SLICE, slice_of
from headshotly.policy import clock

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Counts:
    """Events of one objective in one span of time."""

    good: int = 0
    total: int = 0

    @property
    def bad(self) -> int:
        """Return how many were not good."""
        return self.total - self.good

    @property
    def share(self) -> float | None:
        """Return the share of good ones; None where there were none, which proves nothing."""
        return self.good / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class Burn:
    """One alarm as it stands.

    Attributes:
        alarm: the pair of windows.
        long: burn rate in the long one, None without events.
        short: in the short one.
    """

    alarm: Alarm
    long: float | None
    short: float | None

    @property
    def fires(self) -> bool:
        """Say whether both windows burn at least as fast as the alarm's rate."""
        rates = (self.long, self.short)
        return all(rate is not None and rate >= self.alarm.rate for rate in rates)


@dataclass(frozen=True, slots=True)
class Standing:
    """One objective as it stands.

    Attributes:
        objective: which.
        counts: of the last thirty days.
        burns: its alarms.
        days: counts of each of the thirty days, the oldest first.
    """

    objective: Objective
    counts: Counts
    burns: tuple[Burn, ...]
    days: tuple[tuple[dt.date, Counts], ...]

    @property
    def left(self) -> float | None:
        """Return the share of the error budget that is left; below nought when more went wrong than may."""
        if not self.counts.total:
            return None
        return 1.0 - self.counts.bad / (self.counts.total * self.objective.budget)

    @property
    def met(self) -> bool | None:
        """Say whether the objective is met; None without events."""
        share = self.counts.share
        return None if share is None else share >= self.objective.target

    @property
    def firing(self) -> Burn | None:
        """Return the most urgent alarm that fires."""
        return next((burn for burn in self.burns if burn.fires), None)


def burn_rate(counts: Counts, objective: Objective) -> float | None:
    """Return how many times faster than sustainable the budget burns, None without events."""
    share = counts.share
    return None if share is None else (1.0 - share) / objective.budget


def _counts(objective: str, since: dt.datetime) -> Counts:
    sums = ObjectiveCount.objects.filter(objective=objective, at__gte=since).aggregate(
        good=Sum("good"), total=Sum("total")
    )
    return Counts(sums["good"] or 0, sums["total"] or 0)


def _begin(window: dt.timedelta, now: dt.datetime) -> dt.datetime:
    """Return from which slice on a window is counted: at least its length, at most five minutes more."""
    return slice_of(now - window + SLICE - dt.timedelta(microseconds=1)) - (SLICE if window <= SLICE else 0 * SLICE)


def standing(objective: Objective, *, now: dt.datetime | None = None) -> Standing:
    """Return how an objective stands.

    Args:
        objective: which.
        now: the moment; this one where None.
    """
    moment = now or clock.now()
    burns = tuple(
        Burn(
            alarm,
            burn_rate(_counts(objective.id, _begin(alarm.long, moment)), objective),
            burn_rate(_counts(objective.id, _begin(alarm.short, moment)), objective),
        )
        for alarm in objectives.ALARMS
    )
    first = (moment - objectives.WINDOW + DAY).date()
    days = {first + number * DAY: Counts() for number in range(objectives.WINDOW.days)}
    begin = dt.datetime.combine(first, dt.time(), dt.UTC)
    for row in ObjectiveCount.objects.filter(objective=objective.id, at__gte=begin).iterator():
        found = days.get(row.at.date(), Counts())
        days[row.at.date()] = Counts(found.good + row.good, found.total + row.total)
    whole = Counts(sum(one.good for one in days.values()), sum(one.total for one in days.values()))
    return Standing(objective, whole, burns, tuple(sorted(days.items())))


def standings() -> list[Standing]:
    """Return how every objective stands now."""
    now = clock.now()
    return [standing(one, now=now) for one in objectives.objectives().values()]
