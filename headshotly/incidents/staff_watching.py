"""Looks every few minutes at what staff opened today, and tells of what is odd: within the week's budget."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Q

from headshotly.audit.acts import Act
from headshotly.incidents import alerts, anomalies
from headshotly.incidents.alerts import Finding
from headshotly.incidents.anomalies import Access, Incident
from headshotly.incidents.models import Alert, AlertKind, Event, Level
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

# The names of the alerts raised here.
UNEXPLAINED, VOLUME, ODD = "anomaly-unexplained", "anomaly-volume", "anomaly-staff-access"
_GRAVE = 8.0  # deviations
BUDGET = 5  # alerts a week; what was measured stands in docs/detection.md
_OPENINGS = (Act.OBJECT_OPENED.value, Act.FIELD_OPENED.value)
_EXPORTS = (Act.EXPORT_ASKED.value, Act.EXPORT_DOWNLOADED.value)
_REASONS = (Act.GRANT_USED.value, Act.GLASS_BROKEN.value, Act.REQUEST_READ.value)
_EXPLAINS = dt.timedelta(hours=1)
_VERSIONS = re.compile(r"[\d.]+")


def accesses(*, day: dt.date) -> list[Access]:
    """Return what staff opened of customers on a day and in the weeks before it, from the event stream."""
    since = dt.datetime.combine(day - dt.timedelta(days=anomalies.BASELINE_DAYS), dt.time(), dt.UTC)
    until = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), dt.UTC)
    rows = (
        Event.objects.filter(occurred_at__gte=since, occurred_at__lt=until, actor__startswith="staff:")
        .filter(Q(source="web") | Q(act__in=[*_OPENINGS, *_EXPORTS, *_REASONS]))
        .order_by("occurred_at", "id")
        .values_list("id", "source", "act", "actor", "subject", "occurred_at", "ocsf")
        .iterator(chunk_size=2000)
    )
    device: dict[str, str] = {}
    reasons: dict[tuple[str, object], list[dt.datetime]] = defaultdict(list)
    found: list[tuple[int, str, str, object, dt.datetime, str, str]] = []
    for number, source, act, actor, subject, at, ocsf in rows:
        if source == "web":
            device[actor] = _VERSIONS.sub("", str(ocsf.get("http_request", {}).get("user_agent", "")))
        elif act in _REASONS:
            reasons[actor, subject].append(at)
        elif subject is not None:
            role = str(ocsf.get("unmapped", {}).get("actor", {}).get("role", ""))
            found.append((number, act, actor, subject, at, role, device.get(actor, "")))
    return [
        Access(
            member=actor,
            role=role,
            at=at,
            subject=str(subject),
            kind="export" if act in _EXPORTS else "open",
            explained=any(abs(at - one) <= _EXPLAINS for one in reasons[actor, subject]),
            device=seen_with,
            event=number,
        )
        for number, act, actor, subject, at, role, seen_with in found
    ]


@enforces("5.3.b")
def look(*, now: dt.datetime | None = None) -> int:
    """Judge today and yesterday, and raise what is odd, each incident once; return how many alerts there are of it."""
    moment = now or clock.now()
    oddities = [
        one
        for day in (moment.date() - dt.timedelta(days=1), moment.date())
        for one in anomalies.find(accesses(day=day), day=day)
    ]
    incidents = anomalies.grouped(oddities)
    week = moment - dt.timedelta(days=7)
    told = Alert.objects.filter(kind=AlertKind.ANOMALY, raised_at__gte=week).exclude(rule=UNEXPLAINED)
    known = set(told.values_list("actor", flat=True))
    left = max(0, BUDGET - told.count())
    fresh = [one for one in incidents if one.member not in known]
    chosen = [*anomalies.within_budget(fresh, budget=left), *(one for one in incidents if one.member in known)]
    for incident in chosen:
        alerts.raise_alert(_finding(incident))
    return len(chosen)


def _finding(incident: Incident) -> Finding:
    unexplained = "unexplained" in incident.kinds
    grave = incident.score >= _GRAVE
    many = grave and bool({"volume", "exports"} & set(incident.kinds))
    events = sorted({event for one in incident.oddities for event in one.events})
    first = min(one.first for one in incident.oddities)
    return Finding(
        kind=AlertKind.ANOMALY,
        level=Level.CRITICAL if unexplained else Level.HIGH if grave else Level.MEDIUM,
        rule=UNEXPLAINED if unexplained else VOLUME if many else ODD,
        title="Staff opened data that nothing explains" if unexplained else "Odd access by a member of staff",
        sentence=" ".join(_sentences(incident)),
        author="HeadShotlyAI",
        source="journal",
        group={"actor": incident.member},
        began=first.date().isoformat(),
        actor=incident.member,
        events=events,
        hits=max(1, len(events)),
        first_event_at=first,
        last_event_at=max(one.last for one in incident.oddities),
    )


def _sentences(incident: Incident) -> Iterable[str]:
    return dict.fromkeys(one.sentence for one in sorted(incident.oddities, key=lambda odd: -odd.score))
