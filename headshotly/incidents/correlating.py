"""Sliding windows over event time: when a correlation's condition holds, and which stretches of time are one episode.

Pure: a window takes hits in any order and says how its episodes changed; storing is ``detecting``'s.

A hit *fires* when the hits of the last ``span`` seconds up to and including it meet the condition. Firings no further
apart than ``span`` are one episode. A later hit never undoes a firing that was told.
"""

import operator
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

HITS_MAX = 10_000  # kept of one group: bounds memory; no rule may ask for more

type Kind = Literal[
    "event_count",
    "value_count",
    "temporal",
    "temporal_ordered",
    "value_sum",
    "value_avg",
    "value_percentile",
    "value_median",
]
type Expression = str | tuple[str, tuple["Expression", ...]]
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
    "neq": operator.ne,
}
_GROWING = frozenset({"event_count", "value_count", "temporal", "temporal_ordered"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What must hold in a window.

    Attributes:
        kind: Sigma's correlation type.
        span: seconds, more than nothing.
        rules: ids of the rules whose hits count, in the rule's order.
        compare: ``gte`` and the like.
        threshold: what is compared with.
        percentile: 1 to 99, for ``value_percentile``.
        expression: of an extended temporal condition: an id, or ``and``, ``or``, ``not`` and what they join.
    """

    kind: Kind
    span: float
    rules: tuple[str, ...] = ()
    compare: str = "gte"
    threshold: float = 1
    percentile: int = 50
    expression: Expression | None = None

    @property
    def only_grows(self) -> bool:
        """Say whether another hit can never make the condition fail, so that what fires already needs no look."""
        return self.kind in _GROWING and self.compare in {"gt", "gte"} and not _negates(self.expression)


def _negates(expression: Expression | None) -> bool:
    if expression is None or isinstance(expression, str):
        return False
    joiner, parts = expression
    return joiner == "not" or any(_negates(part) for part in parts)


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """One event that counts.

    Attributes:
        at: seconds since 1970, event time.
        event: the event's id, unique within a window and rule.
        rule: id of the rule it matched.
        value: what ``value_count`` counts.
        number: what the other value conditions reckon with.
    """

    at: float
    event: int
    rule: str
    value: str = ""
    number: float | None = field(default=None, compare=False)


@dataclass(slots=True)
class Episode:
    """A stretch of firings no further apart than the span.

    Attributes:
        key: distinguishes it from the group's others; the moment of the firing that opened it.
        first: seconds since 1970 of its earliest firing.
        last: of its latest firing.
        hits: how many hits it has.
        merged_into: key of the episode that took it in, when a late hit joined the two.
        fresh: it was opened since it was stored last.
    """

    key: float
    first: float
    last: float
    hits: int = 0
    merged_into: float | None = None
    fresh: bool = False


class Window:
    """The hits of one correlation's group, and its episodes."""

    __slots__ = ("_counted", "_left", "_numbers", "_sum", "condition", "episodes", "hits")

    def __init__(self, condition: Condition, hits: Sequence[Hit] = (), episodes: Sequence[Episode] = ()) -> None:
        """Take what was stored of it."""
        self.condition = condition
        self.hits = sorted(hits)
        self.episodes = sorted(episodes, key=lambda one: one.first)
        self._tail()

    def add(self, hit: Hit) -> list[Episode]:
        """Take a hit in and return the episodes that changed, each once."""
        late = bool(self.hits) and hit < self.hits[-1]
        if late:
            insort(self.hits, hit)
            changed = self._look_again(hit)
            self._tail()
        else:
            self.hits.append(hit)
            self._advance(hit)
            changed = self._fired(hit.at) if self._holds_at_tail(hit.at) else []
        if len(self.hits) > HITS_MAX + HITS_MAX // 10:
            self._drop(len(self.hits) - HITS_MAX)
        return changed

    def fire(self, at: float) -> list[Episode]:
        """Take a firing that needs no hits, such as a single rule's match, and return the episodes that changed."""
        return self._fired(at)

    def _drop(self, count: int) -> None:
        """Forget the oldest hits, also where the last window still had them: memory has its bound."""
        while self._left < count:
            self._discount(self.hits[self._left])
            self._left += 1
        del self.hits[:count]
        self._left -= count

    # ── in order: the running figures of the last window ──────────────────────

    def _tail(self) -> None:
        """Reckon the running figures anew for the window that ends at the latest hit."""
        self._left, self._counted, self._sum = 0, Counter[str](), 0.0
        self._numbers: list[float] = []
        if not self.hits:
            return
        self._left = bisect_left(self.hits, self.hits[-1].at - self.condition.span, key=_at)
        for hit in self.hits[self._left :]:
            self._count(hit)

    def _advance(self, newest: Hit) -> None:
        self._count(newest)
        earliest = newest.at - self.condition.span
        while self.hits[self._left].at < earliest:
            self._discount(self.hits[self._left])
            self._left += 1

    def _discount(self, gone: Hit) -> None:
        key = self._counting(gone)
        self._counted[key] -= 1
        if not self._counted[key]:
            del self._counted[key]
        if gone.number is not None:
            self._sum -= gone.number
            del self._numbers[bisect_left(self._numbers, gone.number)]

    def _count(self, hit: Hit) -> None:
        self._counted[self._counting(hit)] += 1
        if hit.number is not None:
            self._sum += hit.number
            insort(self._numbers, hit.number)

    def _counting(self, hit: Hit) -> str:
        return hit.value if self.condition.kind == "value_count" else hit.rule

    def _holds_at_tail(self, at: float) -> bool:
        condition = self.condition
        if condition.kind == "temporal_ordered" or (condition.kind == "temporal" and condition.expression):
            return _temporal(condition, self.hits[self._left :], at)
        return _meets(condition, len(self.hits) - self._left, self._counted, self._numbers, self._sum)

    # ── out of order: the windows a late hit belongs to ───────────────────────

    def _look_again(self, hit: Hit) -> list[Episode]:
        """Look at every window that a late hit is in; what has fired already is passed over."""
        begin = bisect_left(self.hits, hit)
        end = bisect_right(self.hits, hit.at + self.condition.span, key=_at)
        if self.condition.only_grows and self._all_fired(hit.at, self.hits[end - 1].at):
            return self._fired(hit.at) if self._holds_within(begin) else []
        changed: dict[float, Episode] = {}
        for position in range(begin, end):
            if self._holds_within(position):
                changed |= {one.key: one for one in self._fired(self.hits[position].at)}
        return list(changed.values())

    def _all_fired(self, since: float, until: float) -> bool:
        return any(one.first <= since and until <= one.last for one in self.episodes)

    def _holds_within(self, position: int) -> bool:
        """Say whether the window that ends with the hit at a position meets the condition."""
        condition, at = self.condition, self.hits[position].at
        begin = bisect_left(self.hits, at - condition.span, key=_at)
        if condition.kind == "event_count":
            return COMPARE[condition.compare](position + 1 - begin, condition.threshold)
        inside = self.hits[begin : position + 1]
        if condition.kind == "temporal_ordered" or (condition.kind == "temporal" and condition.expression):
            return _temporal(condition, inside, at)
        numbers = sorted(hit.number for hit in inside if hit.number is not None)
        counted = Counter(self._counting(hit) for hit in inside)
        return _meets(condition, len(inside), counted, numbers, sum(numbers))

    # ── episodes ──────────────────────────────────────────────────────────────

    def _fired(self, at: float) -> list[Episode]:
        span = self.condition.span
        near = [one for one in self.episodes if one.first - span <= at <= one.last + span]
        if not near:
            opened = Episode(key=at, first=at, last=at, fresh=True)
            opened.hits = max(1, self._hits_of(opened))
            self.episodes.append(opened)
            self.episodes.sort(key=lambda one: one.first)
            return [opened]
        kept, *others = sorted(near, key=lambda one: (one.fresh, one.key))
        kept.first, kept.last = min(kept.first, at), max(kept.last, at)
        for other in others:
            kept.first, kept.last = min(kept.first, other.first), max(kept.last, other.last)
            other.merged_into = kept.key
            self.episodes.remove(other)
        kept.hits = max(kept.hits + 1, self._hits_of(kept))
        return [kept, *others]

    def _hits_of(self, episode: Episode) -> int:
        begin = bisect_left(self.hits, episode.first - self.condition.span, key=_at)
        return bisect_right(self.hits, episode.last, key=_at) - begin

    def events_of(self, episode: Episode, *, most: int) -> list[int]:
        """Return the ids of an episode's earliest events; hits that come from other correlations have none."""
        begin = bisect_left(self.hits, episode.first - self.condition.span, key=_at)
        end = bisect_right(self.hits, episode.last, key=_at)
        return [hit.event for hit in self.hits[begin : min(end, begin + most)] if hit.event > 0]


def _at(hit: Hit) -> float:
    return hit.at


def _meets(condition: Condition, count: int, counted: Counter[str], numbers: Sequence[float], total: float) -> bool:
    compare, threshold = COMPARE[condition.compare], condition.threshold
    if condition.kind in _GROWING:
        return compare(count if condition.kind == "event_count" else len(counted), threshold)
    return bool(numbers) and compare(_figure(condition, numbers, total), threshold)


def _figure(condition: Condition, numbers: Sequence[float], total: float) -> float:
    match condition.kind:
        case "value_sum":
            return total
        case "value_avg":
            return total / len(numbers)
        case "value_median":
            return _quantile(numbers, 50)
        case _:
            return _quantile(numbers, condition.percentile)


def _quantile(ordered: Sequence[float], percent: float) -> float:
    """Return a percentile of sorted numbers, by linear interpolation between the closest ranks."""
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _temporal(condition: Condition, inside: Sequence[Hit], at: float) -> bool:
    """Decide a temporal condition over the hits of one window."""
    times: dict[str, list[float]] = {}
    for hit in inside:
        times.setdefault(hit.rule, []).append(hit.at)
    begin = at - condition.span
    if condition.expression is None:
        return _in_order(condition, times, begin)
    if condition.kind == "temporal_ordered":
        return _completed(condition.expression, times, begin) is not None
    return _true(condition.expression, times)


def _in_order(condition: Condition, times: dict[str, list[float]], begin: float) -> bool:
    moment = begin
    reached = 0
    for rule in condition.rules:
        found = times.get(rule, [])
        place = bisect_left(found, moment)
        if place == len(found):
            break
        moment = found[place]
        reached += 1
    return COMPARE[condition.compare](reached, condition.threshold)


def _true(expression: Expression, times: dict[str, list[float]]) -> bool:
    if isinstance(expression, str):
        return expression in times
    joiner, parts = expression
    if joiner == "not":
        return not _true(parts[0], times)
    return (all if joiner == "and" else any)(_true(part, times) for part in parts)


def _completed(expression: Expression, times: dict[str, list[float]], since: float) -> float | None:
    """Return when an ordered expression is complete at the earliest, or None.

    What ``and`` joins must come one after the other; what ``not`` names must not come within the window at all.
    """
    if isinstance(expression, str):
        found = times.get(expression, [])
        place = bisect_left(found, since)
        return found[place] if place < len(found) else None
    joiner, parts = expression
    if joiner == "not":
        return None if _true(parts[0], times) else since
    if joiner == "or":
        ends = [end for part in parts if (end := _completed(part, times, since)) is not None]
        return min(ends, default=None)
    moment: float | None = since
    for part in parts:
        moment = None if moment is None else _completed(part, times, moment)
    return moment
