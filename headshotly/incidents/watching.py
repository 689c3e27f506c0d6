"""What happens outside the journal leaves its line here: answered requests, tasks of the worker, what asks to leave."""

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponseBase

from headshotly.incidents import pseudonyms, spool
from headshotly.incidents.sources.web import shown_path, shown_query, shown_referer, without_people
from headshotly.policy import clock, configuration, correlation
from headshotly.policy.enforcement import enforces
from headshotly.vendors.decisions import Decision

_AGENT_MAX = 300


@enforces("8.2.b")
def saw_request(request: HttpRequest, response: HttpResponseBase, *, seconds: float, inspection: str = "") -> None:
    """Leave the line of one answered request; never raises for want of disk.

    Args:
        request: as Django knows it.
        response: what it was answered with.
        seconds: how long that took.
        inspection: what the request inspection found, if anything.
    """
    match = request.resolver_match
    agent = without_people(request.headers.get("User-Agent", "")[:_AGENT_MAX])
    spool.writer("web").append(
        {
            "id": correlation.current().request_id or uuid4().hex,
            "at": clock.now().isoformat(),
            "method": (request.method or "")[:16],
            "path": shown_path(request.path_info, match.route if match else "", dict(match.kwargs) if match else {}),
            "query": shown_query(request.META.get("QUERY_STRING", "")),
            "route": match.view_name if match else "",
            "status": response.status_code,
            "agent": agent,
            "referer": shown_referer(request.headers.get("Referer", ""), configuration.current().public_url)[
                :_AGENT_MAX
            ],
            "address": pseudonyms.of_address(str(request.META.get("REMOTE_ADDR", ""))),
            "actor": _actor(request),
            "seconds": round(seconds, 4),
            "inspection": inspection,
        }
    )


def _actor(request: Any) -> str:
    member = getattr(request, "staff", None)
    if member is not None:
        return f"staff:{member.id}"
    account = getattr(request, "service_account", None)
    if account is not None:
        return f"service:{account.id}"
    bearer = getattr(request, "bearer", None)
    if bearer is not None:
        return f"customer:{bearer.subject}"
    # Only where a page asked already: looking up a session here would cost every request a query.
    user = request.__dict__.get("_cached_user")
    return f"customer:{user.pk}" if user is not None and user.is_authenticated else ""


def saw_failure(*, product: str, error: str, where: str) -> None:
    """Leave the line of an error nobody foresaw: its kind and place, never its words, which may hold anything.

    Args:
        product: ``django`` for a request, ``python`` for a task.
        error: name of the exception's class.
        where: the view or task.
    """
    spool.writer("worker" if product == "python" else "web-errors").append(
        {"id": uuid4().hex, "at": clock.now().isoformat(), "product": product, "error": error, "where": where}
    )


@enforces("8.2.b")
def saw_task(
    *,
    task: UUID,
    claimed_at: dt.datetime | None,
    path: str,
    what: str,
    attempt: int,
    seconds: float | None = None,
    error: str = "",
) -> None:
    """Leave the line of one step of a task; its id is made of the step, so that leaving it twice is leaving it once.

    Args:
        task: its id.
        claimed_at: when it was claimed, which tells one run of it from the next.
        path: of its function.
        what: ``taken``, ``finished``, ``failed``, ``returned``, ``lease-lost``, ``put-back`` or ``given-up``.
        attempt: the how-manieth time it was taken since it was last given back, from one.
        seconds: how long it ran.
        error: name of the exception's class.
    """
    line = {
        "id": f"{task.hex}-{claimed_at.timestamp() if claimed_at else 0:.6f}-{what}",
        "at": clock.now().isoformat(),
        "task": str(task),
        "where": path,
        "what": what,
        "attempt": attempt,
        "error": error,
    }
    spool.writer("worker").append(line if seconds is None else line | {"seconds": round(seconds, 3)})


@enforces("8.2.b", "1.2.d")
def saw_decision(decision: Decision) -> None:
    """Leave the line of one decision about what leaves the house."""
    spool.writer("vendor-gate").append(
        {
            "id": uuid4().hex,
            "at": clock.now().isoformat(),
            "host": decision.host,
            "vendor": decision.vendor,
            "opened": decision.opened,
            "reason": decision.reason,
            "carries": list(decision.carries),
            "subject": str(decision.about) if decision.about else "",
        }
    )
