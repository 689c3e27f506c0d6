"""Raising alerts: each episode once, however often its events are delivered."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.incidents.errors import NotFound
from headshotly.incidents.models import Alert, AlertKind, Level
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

EVENTS_KEPT = 100
type Hook = Callable[[Alert], None]
_HOOKS: list[Hook] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a detector found.

    Attributes:
        kind: what found it.
        level: how bad it is.
        rule: stable id of the rule or detector.
        title: of the rule, one line.
        sentence: plain words for whoever is on call; pseudonyms only.
        author: of the rule.
        source: of the events.
        group: what the events have in common, by field.
        began: distinguishes one episode of a group from the next; the same episode has the same value for ever.
        actor: ``kind:pseudonym`` of who did it, where one did.
        address: pseudonym of the network address, where there is one.
        subject: the data subject concerned, where there is one.
        events: ids of the events.
        hits: how many events there are by now.
        first_event_at: aware UTC.
        last_event_at: aware UTC.
    """

    kind: AlertKind
    level: Level
    rule: str
    title: str
    sentence: str
    author: str = ""
    source: str = ""
    group: dict[str, str] = field(default_factory=dict)
    began: str = ""
    actor: str = ""
    address: str = ""
    subject: UUID | None = None
    events: Sequence[int] = ()
    hits: int = 1
    first_event_at: dt.datetime
    last_event_at: dt.datetime

    @property
    def episode(self) -> bytes:
        """Return 32 bytes that name the episode."""
        parts = json.dumps([self.rule, sorted(self.group.items()), self.began], ensure_ascii=False)
        return hashlib.sha256(parts.encode()).digest()


def when_raised(hook: Hook) -> None:
    """Have something done for every new alert, in the transaction that raises it; once, however often it is asked."""
    if hook not in _HOOKS:
        _HOOKS.append(hook)


@enforces("5.3.b", "8.2.a")
def raise_alert(finding: Finding) -> Alert:
    """Raise an alert, or add to the one of the same episode; only a new one is told to anybody.

    Everything happens in one transaction, the caller's where there is one: a crash leaves no alert, and the events that
    led to it are read again.

    Returns:
        The alert of the episode.
    """
    with transaction.atomic():
        alert, fresh = Alert.objects.get_or_create(episode=finding.episode, defaults=_columns(finding))
        if not fresh:
            return _add(alert, finding)
        audit.record(actor=SYSTEM, act=Act.ALERT_RAISED, subject=finding.subject, purpose=finding.rule)
        for hook in _HOOKS:
            hook(alert)
    return alert


def _columns(finding: Finding) -> dict[str, object]:
    return {
        "kind": finding.kind,
        "level": finding.level,
        "rule": finding.rule,
        "title": finding.title[:200],
        "author": finding.author[:200],
        "source": finding.source,
        "sentence": finding.sentence,
        "group": finding.group,
        "actor": finding.actor,
        "address": finding.address,
        "subject": finding.subject,
        "events": list(finding.events)[:EVENTS_KEPT],
        "hits": finding.hits,
        "first_event_at": finding.first_event_at,
        "last_event_at": finding.last_event_at,
        "raised_at": clock.now(),
    }


def _add(alert: Alert, finding: Finding) -> Alert:
    """Bring an open episode up to date; what was said stays said."""
    known = set(alert.events)
    alert.events = [*alert.events, *(one for one in finding.events if one not in known)][:EVENTS_KEPT]
    alert.hits = max(alert.hits, finding.hits)
    alert.first_event_at = min(alert.first_event_at, finding.first_event_at)
    alert.last_event_at = max(alert.last_event_at, finding.last_event_at)
    alert.save(update_fields=["events", "hits", "first_event_at", "last_event_at"])
    return alert


def join(finding: Finding, *, into: str) -> None:
    """Close the alert of an episode that a late event joined with an earlier one, where it had been raised.

    Args:
        finding: of the episode that is no more.
        into: ``began`` of the one that goes on.
    """
    Alert.objects.filter(episode=finding.episode, closed_at__isnull=True).update(
        closed_at=clock.now(), verdict=f"Joined with an earlier alert of the same group ({into})."[:200]
    )


def close(*, actor: Actor, alert_id: UUID, verdict: str) -> Alert:
    """Close an alert with a verdict in plain words; one that is closed stays as it was closed.

    Raises:
        NotFound: there is no such alert.
    """
    with transaction.atomic():
        alert = Alert.objects.select_for_update().filter(id=alert_id).first()
        if alert is None:
            raise NotFound("There is no such alert.")
        if alert.closed_at is None:
            alert.closed_at, alert.verdict = clock.now(), verdict[:200]
            alert.save(update_fields=["closed_at", "verdict"])
            audit.record(actor=actor, act=Act.ALERT_CLOSED, subject=alert.subject, purpose=alert.rule)
    return alert
