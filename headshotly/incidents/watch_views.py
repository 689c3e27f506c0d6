"""Alerts, the events behind them, the rules, and what is blocked: what the security officer looks at all day."""

import functools
import json
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from headshotly.access import members
from headshotly.access.views import member_of, needs_proof
from headshotly.audit.actor import Actor
from headshotly.incidents import alerts, blocks, overseeing, querying, selectors, setting_up
from headshotly.incidents.errors import NotFound
from headshotly.incidents.models import Event, Source
from headshotly.incidents.rulebook import Rulebook
from headshotly.policy.permission import permission


def _actor(request: HttpRequest) -> Actor:
    member = member_of(request)
    return Actor(kind="staff", id=member.id, role=member.role)


def _may(request: HttpRequest, right: str) -> bool:
    return right in members.rights_of(member_of(request))


@functools.lru_cache(maxsize=1)
def _book() -> Rulebook:
    """Return the rules as they were when this process was first asked; the detector itself reads them at its start."""
    return setting_up.book()


@permission("staff:incidents.read")
@never_cache
@require_safe
def alerts_page(request: HttpRequest) -> HttpResponse:
    """Show the open alerts, the newest first, and how the stream is."""
    context = {
        "alerts": selectors.open_alerts(),
        "sources": list(Source.objects.order_by("name")),
        "worked": overseeing.last_worked(),
        "behind": overseeing.behind(),
        "blocks": blocks.in_force(),
    }
    return render(request, "incidents/watch/alerts.html", context)


@permission("staff:incidents.read")
@never_cache
@require_safe
def alerts_list(request: HttpRequest) -> HttpResponse:
    """Give the list alone, for the page that keeps itself up to date."""
    return render(request, "incidents/watch/alerts_list.html", {"alerts": selectors.open_alerts()})


@permission("staff:incidents.read")
@never_cache
@require_safe
def alert_page(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Show one alert and the events that led to it."""
    alert = selectors.alert(alert_id)
    if alert is None:
        raise NotFound("There is no such alert.")
    context = {
        "alert": alert,
        "events": selectors.events_of(alert),
        "group": sorted((name, value) for name, value in alert.group.items() if value),
        "may_write": _may(request, "incidents.write"),
    }
    return render(request, "incidents/watch/alert.html", context)


@permission("staff:incidents.write")
@require_POST
@needs_proof
def alert_close(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Close an alert with a verdict."""
    verdict = str(request.POST.get("verdict", "")).strip()
    if not verdict:
        messages.error(request, "Please say in a few words what it was.")
        return redirect("watch:alert", alert_id=alert_id)
    alerts.close(actor=_actor(request), alert_id=alert_id, verdict=verdict)
    messages.success(request, "Closed, and journalled.")
    return redirect("watch:alerts")


@permission("staff:incidents.read")
@never_cache
@require_safe
def events_page(request: HttpRequest) -> HttpResponse:
    """Show the events a query finds, with their chart."""
    said = {
        name: str(request.GET.get(name, "")) for name in ("span", "source", "outcome", "severity", "text", "before")
    }
    said["span"] = said["span"] if said["span"] in querying.SPANS else "day"
    context = {"said": said, "answer": querying.ask(said), "sources": querying.sources(), "spans": querying.SPANS}
    return render(request, "incidents/watch/events.html", context)


@permission("staff:incidents.read")
@never_cache
@require_safe
def event_page(request: HttpRequest, event_id: int) -> HttpResponse:
    """Show one event whole: as OCSF and as it came."""
    event = Event.objects.filter(id=event_id).first()
    if event is None:
        raise NotFound("There is no such event, or its time is over.")
    context = {
        "event": event,
        "ocsf": json.dumps(event.ocsf, indent=2, ensure_ascii=False),
        "raw": bytes(event.raw).decode(errors="replace"),
    }
    return render(request, "incidents/watch/event.html", context)


@permission("staff:incidents.read")
@never_cache
@require_safe
def rules_page(request: HttpRequest) -> HttpResponse:
    """Show every rule with its author, and those that do not run with the reason."""
    book = _book()
    rows = [(one.title, one.level, one.author, one.description, one.alone) for one in book.rules]
    rows += [(one.title, one.level, one.author, one.description, one.alone) for one in book.correlations]
    context = {"rules": sorted(rows), "refused": book.refused}
    return render(request, "incidents/watch/rules.html", context)


@permission("staff:incidents.read")
@never_cache
@require_safe
def blocks_page(request: HttpRequest) -> HttpResponse:
    """Show which addresses are refused, until when and why."""
    context = {"blocks": blocks.in_force(), "may_contain": _may(request, "incidents.contain")}
    return render(request, "incidents/watch/blocks.html", context)


@permission("staff:incidents.contain")
@require_POST
@needs_proof
def block_lift(request: HttpRequest, block_id: int) -> HttpResponse:
    """End a block before its time."""
    blocks.lift(actor=_actor(request), block_id=block_id)
    messages.success(request, "The address may come again.")
    return redirect("watch:blocks")
