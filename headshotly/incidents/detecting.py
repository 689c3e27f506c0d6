"""From stored events to alerts: rules, correlations and their episodes, all in the transaction of the events.

What a window needs lies in memory for speed and in the database for ever; after a crash, or when another detector took
over, memory is forgotten and read again.
"""

import datetime as dt
import hashlib
import json
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from headshotly.incidents import alerts
from headshotly.incidents.alerts import EVENTS_KEPT, Finding
from headshotly.incidents.correlating import HITS_MAX, Condition, Episode, Hit, Window
from headshotly.incidents.flattening import Readable
from headshotly.incidents.ingesting import Kept
from headshotly.incidents.models import AlertKind, CorrelationHit, Level
from headshotly.incidents.models import Episode as EpisodeRow
from headshotly.incidents.observation import Observation
from headshotly.incidents.rulebook import Correlation, Rule, Rulebook
from headshotly.policy.enforcement import enforces

WINDOWS_MAX = 20_000
QUIET = 3600.0  # seconds without a further match after which a rule's next match is another episode
_SHOWN_MAX = 200
_EPISODES_READ = 50
_LEVELS = set(Level.values)
type Key = tuple[str, bytes]


@dataclass(slots=True)
class _Change:
    """What happened to one episode in a batch."""

    rule: Rule | Correlation
    group: dict[str, str]
    episode: Episode
    seen: Observation
    events: list[int] = field(default_factory=list)


class Detector:
    """Rules at work, with what they remember."""

    def __init__(self, book: Rulebook) -> None:
        """Take the rules."""
        self.book = book
        self._windows: OrderedDict[Key, Window] = OrderedDict()
        self._following: dict[str, list[Correlation]] = defaultdict(list)
        for correlation in book.correlations:
            for rule in correlation.condition.rules:
                self._following[rule].append(correlation)
        self._hits: list[CorrelationHit] = []
        self._changes: dict[tuple[str, bytes, float], _Change] = {}

    def forget(self) -> None:
        """Forget what is in memory, because its transaction failed or somebody else went on meanwhile."""
        self._windows.clear()
        self._hits, self._changes = [], {}

    @enforces("5.3.b", "8.2.a", "8.2.b")
    def consume(self, events: Sequence[tuple[Kept, Observation]]) -> int:
        """Put stored events through every rule and raise what follows, in the caller's transaction.

        Returns:
            How many episodes changed.
        """
        self._hits, self._changes = [], {}
        for row, seen in sorted(events, key=lambda pair: (pair[0].occurred_at, pair[0].id)):
            readable = Readable(seen.fields)
            for rule in self.book.matches(seen.log_source, readable):
                self._matched(rule, row, seen)
        CorrelationHit.objects.bulk_create(self._hits, ignore_conflicts=True)
        for change in self._changes.values():
            self._tell(change)
        return len(self._changes)

    def _matched(self, rule: Rule, row: Kept, seen: Observation) -> None:
        at = row.occurred_at.timestamp()
        if rule.alone:
            group = _who(seen)
            window = self._window(rule.id, group, None)
            self._note(rule, group, window.fire(at), seen, [row.id])
        for correlation in self._following[rule.id]:
            self._count(correlation, rule.id, row.id, at, seen)

    def _count(self, correlation: Correlation, matched: str, event: int, at: float, seen: Observation) -> None:
        """Add a hit to a correlation's group, and to the correlations that follow from it."""
        made = _hit(correlation, matched, event, at, seen)
        if made is None:
            return
        group = _group(correlation, matched, seen)
        window = self._window(correlation.id, group, correlation.condition)
        changed = window.add(made)
        self._hits.append(_stored(correlation.id, _digest(group), made))
        for episode in changed:
            opened = episode.fresh and (correlation.id, _digest(group), episode.key) not in self._changes
            self._note(correlation, group, [episode], seen, window.events_of(episode, most=EVENTS_KEPT))
            if opened:
                derived = -int.from_bytes(hashlib.sha256(f"{correlation.id}{group}{episode.key}".encode()).digest()[:7])
                for further in self._following[correlation.id]:
                    self._count(further, correlation.id, derived, episode.first, seen)

    def _note(
        self,
        rule: Rule | Correlation,
        group: dict[str, str],
        changed: Iterable[Episode],
        seen: Observation,
        events: Sequence[int],
    ) -> None:
        for episode in changed:
            key = (rule.id, _digest(group), episode.key)
            change = self._changes.setdefault(key, _Change(rule, group, episode, seen))
            change.episode = episode
            if len(change.events) < EVENTS_KEPT:
                change.events = list(dict.fromkeys([*change.events, *events]))[:EVENTS_KEPT]

    # ── windows ───────────────────────────────────────────────────────────────

    def _window(self, rule: str, group: dict[str, str], condition: Condition | None) -> Window:
        """Return a group's window from memory, or as the database remembers it."""
        key = (rule, _digest(group))
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _read(key, condition)
            if len(self._windows) > WINDOWS_MAX:
                self._write_hits()
                self._windows.popitem(last=False)
        else:
            self._windows.move_to_end(key)
        return window

    def _write_hits(self) -> None:
        """Store the hits so far: a window that leaves memory may be asked for again in the same batch."""
        CorrelationHit.objects.bulk_create(self._hits, ignore_conflicts=True)
        self._hits = []
        for change in self._changes.values():
            _store(change)

    # ── telling ───────────────────────────────────────────────────────────────

    def _tell(self, change: _Change) -> None:
        _store(change)
        if not change.rule.alone:
            return
        if change.episode.merged_into is not None:
            alerts.join(_finding(change), into=str(change.episode.merged_into))
        else:
            alerts.raise_alert(_finding(change))
        change.episode.fresh = False


def _read(key: Key, condition: Condition | None) -> Window:
    rule, group = key
    episodes = [
        Episode(row.key, row.first_at.timestamp(), row.last_at.timestamp(), row.hits)
        for row in EpisodeRow.objects.filter(rule=rule, group=group).order_by("-last_at")[:_EPISODES_READ]
    ]
    if condition is None:
        return Window(Condition(kind="event_count", span=QUIET), (), episodes)
    rows = CorrelationHit.objects.filter(rule=rule, group=group).order_by("-at", "-id")[:HITS_MAX]
    hits = [Hit(row.at.timestamp(), row.event, row.matched, row.value, row.number) for row in rows]
    return Window(condition, hits, episodes)


def _store(change: _Change) -> None:
    episode = change.episode
    place: dict[str, Any] = {"rule": change.rule.id, "group": _digest(change.group), "key": episode.key}
    if episode.merged_into is not None:
        EpisodeRow.objects.filter(**place).delete()
        return
    EpisodeRow.objects.update_or_create(
        **place,
        defaults={"first_at": _moment(episode.first), "last_at": _moment(episode.last), "hits": episode.hits},
    )


def _stored(rule: str, group: bytes, hit: Hit) -> CorrelationHit:
    return CorrelationHit(
        rule=rule,
        group=group,
        event=hit.event,
        matched=hit.rule,
        at=_moment(hit.at),
        value=hit.value,
        number=hit.number,
    )


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _who(seen: Observation) -> dict[str, str]:
    """Return what a plain rule's matches are told together by: who did it and from where."""
    said = {"actor": seen.actor, "address": seen.address, "source": seen.source}
    return {name: _text(value) for name, value in said.items() if value}


def _group(correlation: Correlation, matched: str, seen: Observation) -> dict[str, str]:
    found = {}
    for name in correlation.group_by:
        field_name = correlation.aliases.get(name, {}).get(matched, name)
        found[name] = _text(_value(seen, field_name))[:_SHOWN_MAX]
    return found


def _value(seen: Observation, name: str) -> Any:
    """Return a field's value; what every source has is there under its common name as well."""
    if name in seen.fields:
        return seen.fields[name]
    common = {"actor": seen.actor, "address": seen.address, "subject": seen.subject, "source": seen.source}
    return common.get(name)


def _text(value: Any) -> str:
    if value is None:
        return ""
    said = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return said.encode(errors="replace").decode().replace("\x00", "\ufffd")


def _hit(correlation: Correlation, matched: str, event: int, at: float, seen: Observation) -> Hit | None:
    """Return the hit an event is for a correlation, or None where it lacks what is counted."""
    if not correlation.fields:
        return Hit(at, event, matched)
    names = [correlation.aliases.get(name, {}).get(matched, name) for name in correlation.fields]
    values = [_value(seen, name) for name in names]
    if any(value is None for value in values):
        return None
    if correlation.condition.kind == "value_count":
        return Hit(at, event, matched, "\x1f".join(map(_text, values))[:_SHOWN_MAX])
    try:
        return Hit(at, event, matched, number=float(values[0]))
    except (TypeError, ValueError):
        return None


def _digest(group: dict[str, str]) -> bytes:
    return hashlib.sha256(json.dumps(sorted(group.items()), ensure_ascii=False).encode()).digest()


def _finding(change: _Change) -> Finding:
    rule, episode, seen = change.rule, change.episode, change.seen
    correlation = isinstance(rule, Correlation)
    said = ", ".join(f"{name} {value}" for name, value in change.group.items() if value and name != "source")
    times = "once" if episode.hits <= 1 else f"{episode.hits} times"
    return Finding(
        kind=AlertKind.CORRELATION if correlation else AlertKind.RULE,
        level=Level(rule.level) if rule.level in _LEVELS else Level.MEDIUM,
        rule=rule.id,
        title=rule.title,
        author=rule.author,
        sentence=f"{rule.description or rule.title} Seen {times}{f' ({said})' if said else ''}.",
        source=seen.source,
        group=change.group,
        began=str(episode.key),
        actor=_text(seen.actor)[:120],
        address=_text(seen.address)[:64],
        subject=seen.subject,
        events=change.events,
        hits=episode.hits,
        first_event_at=_moment(episode.first),
        last_event_at=_moment(episode.last),
    )
