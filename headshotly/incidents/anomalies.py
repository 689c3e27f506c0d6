"""What is odd about how staff open personal data: pure, from accesses to findings.

Robust figures throughout (median and median absolute deviation), so that a busy week or one attack does not become the
measure of the next. Each finding has a score above nought; findings of one member within a day are one incident, and a
week has a budget, so that people can look at each. An access that nothing explains stands outside the budget.
"""

import datetime as dt
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from headshotly.policy.enforcement import enforces

BASELINE_DAYS = 42
LEARNING_DAYS = 14
_MAD = 1.4826  # makes the median absolute deviation of a normal distribution its standard deviation
_DAY = dt.timedelta(days=1)
KINDS = ("unexplained", "volume", "off-hours", "device", "exports", "repeated", "accumulation")


@dataclass(frozen=True, slots=True)
class Access:
    """One opening of personal data by a member of staff.

    Attributes:
        member: pseudonym.
        role: of the member.
        at: aware moment.
        subject: whose data.
        kind: ``open`` or ``export``.
        explained: an order, ticket or grant names this member and this person.
        device: pseudonym of the browser and network it came from; empty where unknown.
        event: id of the event.
    """

    member: str
    role: str
    at: dt.datetime
    subject: str
    kind: str = "open"
    explained: bool = True
    device: str = ""
    event: int = 0


@dataclass(frozen=True, slots=True)
class Oddity:
    """One thing that is odd.

    Attributes:
        kind: one of ``KINDS``.
        member: who.
        score: how odd, comparable between kinds.
        first: of its accesses.
        last: of its accesses.
        sentence: plain words.
        events: ids.
    """

    kind: str
    member: str
    score: float
    first: dt.datetime
    last: dt.datetime
    sentence: str
    events: tuple[int, ...] = ()


@dataclass(slots=True)
class Incident:
    """The oddities of one member that belong together."""

    member: str
    oddities: list[Oddity] = field(default_factory=list)

    @property
    def score(self) -> float:
        """Return how odd it is altogether: the worst, and a little for each further kind."""
        best: dict[str, float] = {}
        for one in self.oddities:
            best[one.kind] = max(one.score, best.get(one.kind, 0.0))
        ordered = sorted(best.values(), reverse=True)
        return ordered[0] + 0.5 * sum(ordered[1:])

    @property
    def kinds(self) -> list[str]:
        """Return what kinds it has."""
        return sorted({one.kind for one in self.oddities})


def _robust(value: float, history: Sequence[float], *, floor: float) -> float:
    """Return by how many deviations a value lies above its history.

    Args:
        value: of the day.
        history: of the days before; nothing is odd against less than five of them.
        floor: least deviation: counts below it are chance.
    """
    if len(history) < 5:  # noqa: PLR2004 - see above
        return 0.0
    middle = statistics.median(history)
    spread = _MAD * statistics.median(abs(one - middle) for one in history)
    return float((value - middle) / max(spread, floor, middle**0.5))


def _days(accesses: Iterable[Access]) -> dict[str, dict[dt.date, list[Access]]]:
    found: dict[str, dict[dt.date, list[Access]]] = defaultdict(lambda: defaultdict(list))
    for one in accesses:
        found[one.member][one.at.date()].append(one)
    return found


def _oddity(kind: str, rows: Sequence[Access], score: float, sentence: str) -> Oddity:
    return Oddity(
        kind, rows[0].member, score, rows[0].at, rows[-1].at, sentence, tuple(one.event for one in rows if one.event)
    )


@enforces("5.3.b")
def find(accesses: Sequence[Access], *, day: dt.date) -> list[Oddity]:
    """Return what was odd on one day, against the six weeks before it.

    Args:
        accesses: of the day and the ``BASELINE_DAYS`` before it, in any order.
        day: the day judged.
    """
    begin = day - dt.timedelta(days=BASELINE_DAYS)
    ordered = sorted((one for one in accesses if begin <= one.at.date() <= day), key=lambda one: one.at)
    days = _days(ordered)
    roles = {one.member: one.role for one in ordered}
    found: list[Oddity] = []
    for member, mine in days.items():
        today = mine.get(day, [])
        if not today:
            continue
        before = {date: rows for date, rows in mine.items() if date < day}
        peers = [days[other] for other in days if other != member and roles[other] == roles[member]]
        found += _unexplained(today)
        found += _volume(today, before, peers, day)
        found += _off_hours(today, before)
        found += _device(today, before)
        found += _exports(today, before)
        found += _repeated(today, mine, days, day)
        found += _accumulation(today, mine, peers, day)
    return found


def _unexplained(today: Sequence[Access]) -> list[Oddity]:
    rows = [one for one in today if not one.explained]
    if not rows:
        return []
    people = len({one.subject for one in rows})
    return [_oddity("unexplained", rows, 100.0 + people, f"Opened data of {people} people; nothing explains it.")]


def _people(rows: Iterable[Access]) -> int:
    return len({one.subject for one in rows})


def _volume(
    today: Sequence[Access],
    before: Mapping[dt.date, Sequence[Access]],
    peers: Sequence[Mapping[dt.date, Sequence[Access]]],
    day: dt.date,
) -> list[Oddity]:
    count = _people(today)
    own = _robust(count, [_people(rows) for rows in before.values()], floor=1.5)
    theirs = [_people(rows) for peer in peers for date, rows in peer.items() if date < day]
    # A busy day of everybody is no oddity of anybody.
    same_day = [_people(peer[day]) for peer in peers if day in peer]
    crowd = statistics.median(same_day) / max(1.0, statistics.median(theirs)) if same_day and theirs else 1.0
    among = _robust(count, theirs, floor=1.5) if theirs else own
    score = min(own, among) / max(1.0, crowd)
    if score < 4:  # noqa: PLR2004 - deviations
        return []
    return [
        _oddity(
            "volume", today, score, f"Opened data of {count} people in a day, far above their own and others' days."
        )
    ]


def _off_hours(today: Sequence[Access], before: Mapping[dt.date, Sequence[Access]]) -> list[Oddity]:
    known = [one for rows in before.values() for one in rows]
    if len(before) < 5:  # noqa: PLR2004 - too little to know their hours
        return []
    hours, weekend = Counter(one.at.hour for one in known), sum(one.at.weekday() >= 5 for one in known)  # noqa: PLR2004
    odd = []
    for one in today:
        near = sum(hours[(one.at.hour + shift) % 24] for shift in (-1, 0, 1)) / len(known)
        strange_day = one.at.weekday() >= 5 and weekend / len(known) < 0.01  # noqa: PLR2004
        if near < 0.01 or strange_day:  # noqa: PLR2004 - one access in a hundred
            odd.append(one)
    if not odd:
        return []
    score = 4.0 + min(6.0, len(odd) / 2)
    return [_oddity("off-hours", odd, score, f"Opened data {len(odd)} times at hours at which they never work.")]


def _device(today: Sequence[Access], before: Mapping[dt.date, Sequence[Access]]) -> list[Oddity]:
    known = {one.device for rows in before.values() for one in rows if one.device}
    if not known or (max(before) - min(before)).days < LEARNING_DAYS:
        return []
    rows = [one for one in today if one.device and one.device not in known]
    return [_oddity("device", rows, 4.5, "Opened data from a device never seen of them.")] if rows else []


def _exports(today: Sequence[Access], before: Mapping[dt.date, Sequence[Access]]) -> list[Oddity]:
    rows = [one for one in today if one.kind == "export"]
    if not rows:
        return []
    history = [sum(one.kind == "export" for one in earlier) for earlier in before.values()]
    score = _robust(len(rows), history, floor=0.5)
    return [_oddity("exports", rows, score, f"Took {len(rows)} whole copies in a day.")] if score >= 4 else []  # noqa: PLR2004


def _repeated(
    today: Sequence[Access],
    mine: Mapping[dt.date, Sequence[Access]],
    days: Mapping[str, Mapping[dt.date, Sequence[Access]]],
    day: dt.date,
) -> list[Oddity]:
    since = day - dt.timedelta(days=14)
    touched = {one.subject for one in today}
    mine_on: dict[str, set[dt.date]] = defaultdict(set)
    rows: dict[str, list[Access]] = defaultdict(list)
    for date, many in mine.items():
        for one in many:
            if date > since and one.subject in touched:
                mine_on[one.subject].add(date)
                rows[one.subject].append(one)
    usual = Counter((member, one.subject) for member, dates in days.items() for date, many in dates.items()
                    if date > since for one in {row.subject: row for row in many}.values())  # fmt: skip
    middle = statistics.quantiles(usual.values(), n=100)[97] if len(usual) > 20 else 3.0  # noqa: PLR2004
    found = []
    for subject, dates in mine_on.items():
        if len(dates) >= max(5, middle + 2):
            found.append(_oddity("repeated", rows[subject], 3.0 + len(dates) / 2, f"Opened the data of one person on {len(dates)} days of a fortnight."))  # fmt: skip  # noqa: E501
    return found


def _accumulation(
    today: Sequence[Access],
    mine: Mapping[dt.date, Sequence[Access]],
    peers: Sequence[Mapping[dt.date, Sequence[Access]]],
    day: dt.date,
) -> list[Oddity]:
    """Compare the last four weeks' people a working day with the peers' over the same days."""
    since = day - dt.timedelta(days=28)

    def rate(rows: Mapping[dt.date, Sequence[Access]]) -> float | None:
        worked = [date for date in rows if since < date <= day]
        return _people(one for date in worked for one in rows[date]) / len(worked) if len(worked) >= 10 else None  # noqa: PLR2004

    own, others = rate(mine), [one for peer in peers if (one := rate(peer)) is not None]
    among = _robust(own, others, floor=0.6) if own is not None and len(others) >= 3 else 0.0  # noqa: PLR2004 - nobody to compare with
    grown = _grown(mine, peers, day)
    score = max(among if among >= 3 else 0.0, grown if grown >= 4 else 0.0)  # noqa: PLR2004 - deviations
    if own is None or not score:
        return []
    sentence = f"Over weeks opened data of {own:.1f} people a day, more than before or than others in the role."
    return [_oddity("accumulation", today, 2.0 + min(score, 8.0), sentence)]


def _grown(
    mine: Mapping[dt.date, Sequence[Access]], peers: Sequence[Mapping[dt.date, Sequence[Access]]], day: dt.date
) -> float:
    """Return by how many deviations the last ten working days exceed the earlier ones, peers' growth taken off."""
    dates = sorted(date for date in mine if date <= day)
    recent, earlier = dates[-10:], dates[:-10]
    if len(earlier) < 10:  # noqa: PLR2004 - nothing to compare with
        return 0.0
    before = statistics.fmean(_people(mine[date]) for date in earlier)
    growths = []
    for peer in peers:
        late = [_people(peer[date]) for date in peer if recent[0] <= date <= day]
        early = [_people(peer[date]) for date in peer if date < recent[0]]
        if late and early:
            growths.append(statistics.fmean(late) / max(0.5, statistics.fmean(early)))
    usual = before * max(1.0, statistics.median(growths) if growths else 1.0) * len(recent)
    total = sum(_people(mine[date]) for date in recent)
    return float((total - usual) / max(1.0, usual) ** 0.5) if total > 1.3 * usual else 0.0


def grouped(oddities: Iterable[Oddity]) -> list[Incident]:
    """Return oddities as incidents: those of one member no more than a day apart belong together."""
    found: list[Incident] = []
    latest: dict[str, tuple[Incident, dt.datetime]] = {}
    for one in sorted(oddities, key=lambda odd: odd.last):
        known = latest.get(one.member)
        if known is not None and one.first - known[1] <= _DAY:
            known[0].oddities.append(one)
            latest[one.member] = (known[0], max(known[1], one.last))
        else:
            incident = Incident(one.member, [one])
            found.append(incident)
            latest[one.member] = (incident, one.last)
    return found


def within_budget(incidents: Iterable[Incident], *, budget: int) -> list[Incident]:
    """Return the incidents of a week that people are asked to look at: the oddest, and every unexplained access."""
    ordered = sorted(incidents, key=lambda one: -one.score)
    outside = [one for one in ordered if "unexplained" in one.kinds]
    return outside + [one for one in ordered if "unexplained" not in one.kinds][:budget]
