"""How the objectives stand: shares of good events, what is left of the budgets, and how fast they burn."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Sum
from django.db.models.functions import TruncDate

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


def _counts_since(since: dt.datetime) -> dict[str, Counts]:
    """Return the counts of every objective from a slice on."""
    rows = ObjectiveCount.objects.filter(at__gte=since).order_by().values("objective")
    sums = rows.annotate(all_good=Sum("good"), all_total=Sum("total"))
    return {row["objective"]: Counts(row["all_good"], row["all_total"]) for row in sums}


def _begin(window: dt.timedelta, now: dt.datetime) -> dt.datetime:
    """Return from which slice on a window is counted: at least its length, at most five minutes more."""
    return slice_of(now - window + SLICE - dt.timedelta(microseconds=1)) - (
        SLICE if window <= SLICE else dt.timedelta(0)
    )


def burns(*, now: dt.datetime) -> dict[str, tuple[Burn, ...]]:
    """Return every objective's alarms as they stand.

    Args:
        now: the moment.
    """
    windows = {window for alarm in objectives.ALARMS for window in (alarm.long, alarm.short)}
    counted = {window: _counts_since(_begin(window, now)) for window in windows}

    def rate(one: Objective, window: dt.timedelta) -> float | None:
        return burn_rate(counted[window].get(one.id, Counts()), one)

    return {
        one.id: tuple(Burn(alarm, rate(one, alarm.long), rate(one, alarm.short)) for alarm in objectives.ALARMS)
        for one in objectives.objectives().values()
    }


def firing() -> int:
    """Return how many objectives have an alarm that fires."""
    return sum(any(burn.fires for burn in found) for found in burns(now=clock.now()).values())


def standings() -> list[Standing]:
    """Return how every objective stands now, over thirty days of UTC."""
    now = clock.now()
    first = (now - objectives.WINDOW + DAY).date()
    counted: dict[str, dict[dt.date, Counts]] = {}
    rows = ObjectiveCount.objects.filter(at__gte=dt.datetime.combine(first, dt.time(), dt.UTC)).order_by()
    by_day = rows.annotate(day=TruncDate("at", tzinfo=dt.UTC)).values("objective", "day")
    for row in by_day.annotate(all_good=Sum("good"), all_total=Sum("total")):
        counted.setdefault(row["objective"], {})[row["day"]] = Counts(row["all_good"], row["all_total"])
    burning = burns(now=now)
    found = []
    for one in objectives.objectives().values():
        days = tuple(
            (day, counted.get(one.id, {}).get(day, Counts()))
            for day in (first + number * DAY for number in range(objectives.WINDOW.days))
        )
        whole = Counts(sum(counts.good for _, counts in days), sum(counts.total for _, counts in days))
        found.append(Standing(one, whole, burning[one.id], days))
    return found


def standing(objective_id: str) -> Standing:
    """Return how one objective stands now."""
    return next(one for one in standings() if one.objective.id == objective_id)
