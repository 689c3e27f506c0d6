"""Asking the event store: by time, source, outcome, who and from where; with a count for each stretch of time."""

import contextlib
import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from headshotly.incidents.models import Event, Source
from headshotly.policy import clock

SPANS = {
    "hour": dt.timedelta(hours=1),
    "day": dt.timedelta(days=1),
    "week": dt.timedelta(days=7),
    "month": dt.timedelta(days=31),
}
SHOWN = 100
BARS = 48
_SCANNED_MAX = 200_000


@dataclass(frozen=True, slots=True)
class Bar:
    """How many events one stretch of time has.

    Attributes:
        begins_at: of the stretch.
        count: of events.
        height: share of the tallest, 0 to 100.
        x: left edge, in hundredths of the chart's width times ``BARS``.
    """

    begins_at: dt.datetime
    count: int
    height: int
    x: int

    @property
    def top(self) -> int:
        """Return the distance of the bar from the chart's top."""
        return 100 - self.height


@dataclass(frozen=True, slots=True)
class Answer:
    """Events and their chart.

    Attributes:
        events: the newest.
        total: how many there are.
        bars: oldest first.
        cut: there were more than were counted.
        before: id to go on below, or None at the end.
    """

    events: list[Event]
    total: int
    bars: list[Bar]
    cut: bool
    before: int | None


def ask(said: Mapping[str, str]) -> Answer:
    """Return what a query finds.

    Args:
        said: ``span`` (hour, day, week or month), ``source``, ``outcome``, ``severity`` (at least), ``text`` (part of
            the act, the actor or the address, or a data subject's pseudonym), ``before`` (an event's id).
    """
    now = clock.now()
    span = SPANS.get(said.get("span", ""), SPANS["day"])
    found = _filtered(said).filter(occurred_at__gte=now - span, occurred_at__lte=now + dt.timedelta(minutes=10))
    times = list(found.order_by("-occurred_at").values_list("occurred_at", flat=True)[: _SCANNED_MAX + 1])
    page = found
    if said.get("before", "").isdecimal():
        page = page.filter(id__lt=int(said["before"]))
    events = list(page.order_by("-id")[: SHOWN + 1])
    more = len(events) > SHOWN
    return Answer(
        events=events[:SHOWN],
        total=min(len(times), _SCANNED_MAX),
        bars=_bars(times, since=now - span, span=span),
        cut=len(times) > _SCANNED_MAX,
        before=events[SHOWN - 1].id if more else None,
    )


def _filtered(said: Mapping[str, str]) -> QuerySet[Event]:
    found = Event.objects.all()
    if said.get("source"):
        found = found.filter(source=said["source"])
    if said.get("outcome") in {"success", "failure"}:
        found = found.filter(outcome=said["outcome"])
    if said.get("severity", "").isdecimal():
        found = found.filter(severity__gte=int(said["severity"]))
    text = said.get("text", "").replace("\x00", "").strip()[:100]
    if text:
        condition = Q(act__icontains=text) | Q(actor__icontains=text) | Q(address__icontains=text)
        with contextlib.suppress(ValueError):
            condition |= Q(subject=uuid.UUID(text))
        found = found.filter(condition)
    return found


def _bars(times: list[dt.datetime], *, since: dt.datetime, span: dt.timedelta) -> list[Bar]:
    width = span / BARS
    counts = [0] * BARS
    for moment in times:
        counts[min(BARS - 1, max(0, int((moment - since) / width)))] += 1
    most = max(counts) or 1
    return [
        Bar(since + place * width, count, max(2, round(100 * count / most)) if count else 0, place * 10)
        for place, count in enumerate(counts)
    ]


def sources() -> list[str]:
    """Return the name of every source that events ever came from; the time of the last of them may be over."""
    return list(Source.objects.filter(events__gt=0).order_by("name").values_list("name", flat=True))
