"""Months of how staff work, with attacks among it; kept apart from the detector, which never sees the labels."""

import datetime as dt
import random
from collections import defaultdict
from dataclasses import dataclass

from headshotly.incidents.anomalies import Access

FIRST = dt.date(2026, 3, 2)
ROLES = {"support": 12, "security-officer": 4, "dpo": 4}


@dataclass(frozen=True)
class Attack:
    """What was injected: its kind, who did it, and on which days."""

    kind: str
    member: str
    days: frozenset[dt.date]


@dataclass
class _Member:
    name: str
    role: str
    begins: int
    pace: float
    devices: list[str]
    away: set[dt.date]
    night: bool


def _members(chance: random.Random, days: int) -> list[_Member]:
    found = []
    for role, count in ROLES.items():
        for number in range(count):
            away: set[dt.date] = set()
            for _ in range(days // 45):
                start = FIRST + dt.timedelta(days=chance.randrange(days))
                away |= {start + dt.timedelta(days=day) for day in range(chance.randrange(3, 12))}
            found.append(
                _Member(
                    name=f"{role}-{number}",
                    role=role,
                    begins=chance.choice((7, 8, 8, 9, 9, 10, 12)),
                    pace=chance.uniform(0.7, 1.4) * {"support": 9, "security-officer": 3, "dpo": 4}[role],
                    devices=[f"{role}-{number}-d0"],
                    away=away,
                    night=role != "dpo" and chance.random() < 0.25,
                )
            )
    return found


def _poisson(chance: random.Random, mean: float) -> int:
    limit, product, count = 2.718281828**-mean, chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


class Year:
    """Makes accesses of many members over many days, and injects attacks."""

    def __init__(self, *, seed: int, days: int = 182) -> None:
        """Take the seed of chance and how many days."""
        self._chance = random.Random(seed)
        self._days = days
        self._members = _members(self._chance, days)
        self._customer = 0
        self._open: dict[str, list[str]] = defaultdict(list)
        self.accesses: list[Access] = []
        self.attacks: list[Attack] = []
        for number in range(days):
            self._day(FIRST + dt.timedelta(days=number))

    def _day(self, date: dt.date) -> None:
        chance = self._chance
        # A launch, an outage, a Monday: everybody has more to do.
        rush = 2.5 if chance.random() < 0.04 else 1.25 if date.weekday() == 0 else 1.0
        for member in self._members:
            if date in member.away:
                continue
            weekend = date.weekday() >= 5
            if weekend and not (member.night and chance.random() < 0.5):
                continue
            if chance.random() < 0.008:
                member.devices.append(f"{member.name}-d{len(member.devices)}")  # a new laptop, honestly
            device = member.devices[-1]
            for _ in range(_poisson(chance, member.pace * rush * (0.3 if weekend else 1.0))):
                subject = self._subject(member)
                minute = member.begins * 60 + int(chance.triangular(0, 560, 240))
                if member.night and chance.random() < 0.08:
                    minute = chance.randrange(20 * 60, 24 * 60)
                for view in range(1 + (chance.random() < 0.4)):
                    self._add(member, date, minute + view * 3, subject, device=device)
                if member.role == "dpo" and chance.random() < 0.25:
                    self._add(member, date, minute + 9, subject, kind="export", device=device)

    def _subject(self, member: _Member) -> str:
        chance, mine = self._chance, self._open[member.name]
        if mine and chance.random() < 0.25:  # a case that goes on for a few days
            return chance.choice(mine[-6:])
        self._customer += 1
        mine.append(f"c{self._customer}")
        return mine[-1]

    def _add(self, member: _Member, date: dt.date, minute: int, subject: str, **more: object) -> None:
        minute = min(minute, 24 * 60 - 1)
        at = dt.datetime.combine(date, dt.time(minute // 60, minute % 60), dt.UTC)
        self.accesses.append(Access(member.name, member.role, at, subject, **more))

    def inject(self, kind: str) -> None:
        """Add one attack of a kind by somebody on days on which they work, after the baseline is learnt."""
        chance = self._chance
        member = chance.choice([one for one in self._members if kind != "off-hours" or not one.night])
        start = FIRST + dt.timedelta(days=chance.randrange(50, self._days - 35))
        while start in member.away or start.weekday() >= 5:
            start += dt.timedelta(days=1)
        days = getattr(self, f"_{kind.replace('-', '_')}")(member, start)
        self.attacks.append(Attack(kind, member.name, frozenset(days)))

    def _stranger(self) -> str:
        self._customer += 1
        return f"c{self._customer}"

    def _unexplained(self, member: _Member, day: dt.date) -> list[dt.date]:
        for _ in range(self._chance.randrange(1, 4)):
            self._add(member, day, 11 * 60, self._stranger(), explained=False, device=member.devices[-1])
        return [day]

    def _volume(self, member: _Member, day: dt.date) -> list[dt.date]:
        for _ in range(int(member.pace * self._chance.uniform(3, 6)) + 8):
            minute = member.begins * 60 + self._chance.randrange(540)
            self._add(member, day, minute, self._stranger(), device=member.devices[-1])
        return [day]

    def _off_hours(self, member: _Member, day: dt.date) -> list[dt.date]:
        for _ in range(self._chance.randrange(3, 10)):
            self._add(member, day, self._chance.randrange(60, 240), self._stranger(), device=member.devices[-1])
        return [day]

    def _device(self, member: _Member, day: dt.date) -> list[dt.date]:
        for _ in range(self._chance.randrange(3, 8)):
            minute = member.begins * 60 + self._chance.randrange(540)
            self._add(member, day, minute, self._stranger(), device=f"stolen-{self._chance.random()}")
        return [day]

    def _exports(self, member: _Member, day: dt.date) -> list[dt.date]:
        for _ in range(self._chance.randrange(4, 12) + (4 if member.role == "dpo" else 0)):
            minute = member.begins * 60 + self._chance.randrange(540)
            self._add(member, day, minute, self._stranger(), kind="export", device=member.devices[-1])
        return [day]

    def _repeated(self, member: _Member, day: dt.date) -> list[dt.date]:
        subject = self._stranger()
        days = [day + dt.timedelta(days=number) for number in range(14) if number % 7 not in {2, 5}]
        for one in days:
            self._add(member, one, member.begins * 60 + 130, subject, device=member.devices[-1])
        return days

    def _accumulation(self, member: _Member, day: dt.date) -> list[dt.date]:
        days = [day + dt.timedelta(days=number) for number in range(30)]
        days = [one for one in days if one.weekday() < 5 and one not in member.away]
        for one in days:
            for _ in range(int(member.pace * 0.8) + 3):
                minute = member.begins * 60 + self._chance.randrange(500)
                self._add(member, one, minute, self._stranger(), device=member.devices[-1])
        return days
