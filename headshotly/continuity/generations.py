"""Which backups to keep: grandfather, father, son. Knows nothing of stores or clocks."""

import datetime as dt
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keeping:
    """How many backups to keep, each the last of its span of time.

    Attributes:
        hours: every backup of the last so many hours.
        days: the last of each of so many days that have one.
        weeks: the last of each of so many ISO weeks.
        months: the last of each of so many months.
    """

    hours: int = 48
    days: int = 7
    weeks: int = 5
    months: int = 12

    def __post_init__(self) -> None:
        if min(self.hours, self.days, self.weeks, self.months) < 0 or not (self.days or self.weeks or self.months):
            raise ValueError("keep at least one backup")


@dataclass(frozen=True, slots=True)
class Made:
    """A backup, as far as keeping it goes.

    Attributes:
        id: tells it from others.
        generation: orders backups whatever the clocks said.
        at: the moment it was made, aware UTC.
    """

    id: Hashable
    generation: int
    at: dt.datetime


def kept(backups: Iterable[Made], keeping: Keeping, *, now: dt.datetime) -> set[Hashable]:
    """Return the ids of the backups to keep; the newest is always among them.

    A backup dated in the future, by a clock that was wrong, is kept until that time has come and gone.
    """
    ordered = sorted(backups, key=lambda one: one.generation, reverse=True)
    chosen = {one.id for one in ordered[:1]}
    chosen |= {one.id for one in ordered if one.at > now - dt.timedelta(hours=keeping.hours)}
    spans: tuple[tuple[int, Callable[[dt.datetime], Hashable]], ...] = (
        (keeping.days, lambda at: at.date()),
        (keeping.weeks, lambda at: at.isocalendar()[:2]),
        (keeping.months, lambda at: (at.year, at.month)),
    )
    for count, span in spans:
        chosen |= _last_of_each(ordered, count, span)
    return chosen


def _last_of_each(ordered: list[Made], count: int, span: Callable[[dt.datetime], Hashable]) -> set[Hashable]:
    found: dict[Hashable, Hashable] = {}
    for one in ordered:
        if len(found) == count and span(one.at) not in found:
            break
        found.setdefault(span(one.at), one.id)
    return set(found.values()) if count else set()
