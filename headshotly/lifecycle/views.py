"""The register in the staff console: what is open, one finding with its history and clock, the steps."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from headshotly.access import members
from headshotly.access.views import member_of, needs_proof
from headshotly.audit.actor import Actor
from headshotly.lifecycle import importing, limits, reading, selectors, services
from headshotly.lifecycle.errors import Incomplete, NotFound
from headshotly.lifecycle.models import Proposal
from headshotly.lifecycle.selectors import Wanted
from headshotly.lifecycle.severity import Severity
from headshotly.lifecycle.states import Method, State, Verdict
from headshotly.policy import dates
from headshotly.policy.permission import permission


def actor_of(request: HttpRequest) -> Actor:
    """Return the member who asks, as the journal knows them."""
    member = member_of(request)
    return Actor(kind="staff", id=member.id, role=member.role)


def typed(request: HttpRequest, name: str) -> str:
    """Return what was typed into a field, without blanks around it."""
    return request.POST.get(name, "").strip()


def uploaded(request: HttpRequest, name: str, *, needed: bool = True) -> bytes:
    """Return an uploaded file; empty where none came and none is needed.

    Raises:
        Incomplete: it is needed and none came.
    """
    file = request.FILES.get(name)
    if file is None:
        if needed:
            raise Incomplete("Please choose the file.")
        return b""
    return cast("bytes", file.read())


def day(request: HttpRequest, name: str) -> dt.date:
    """Return a day that was chosen.

    Raises:
        Incomplete: it is none.
    """
    try:
        return dt.date.fromisoformat(typed(request, name))
    except ValueError:
        raise Incomplete("Please choose a day.") from None


def _asker(named: Mapping[Any, str], proposal: Proposal) -> str:
    """Return who asked: a member, or the document of a scan that says it was accepted elsewhere."""
    if proposal.asked_by == importing.DOCUMENT:
        return "a scan's own document"
    return named.get(proposal.asked_by, "somebody who left")


def handles() -> dict[object, str]:
    """Return the handle of every active member by id; who left is not named."""
    return {one.id: one.handle for one in members.everybody()}


@permission("staff:findings.read")
@never_cache
@require_safe
def findings(request: HttpRequest) -> HttpResponse:
    """List findings by what was asked for, what waits for a decision, and the last scans."""
    asked = {name: request.GET.get(name, "") for name in ("state", "severity", "method", "owner")}
    if not request.GET:
        asked["state"] = State.OPEN.value
    found, today = selectors.findings(Wanted(**asked)), dates.today()
    everybody = members.everybody()
    context = {
        "rows": [(one, reading.clock_of(one, today)) for one in found],
        "asked": asked,
        "most": selectors.MOST_SHOWN,
        "counts": selectors.counts(),
        "states": [*State.choices, ("overdue", "Past the limit")],
        "severities": Severity.choices,
        "methods": Method.choices,
        "members": everybody,
        "proposals": [
            (one, _asker({who.id: who.handle for who in everybody}, one)) for one in selectors.waiting_proposals()
        ],
        "scans": selectors.scans(),
        "limits": [(severity.label, days) for severity, days in limits.days().items()],
        "may_write": "findings.write" in members.rights_of(member_of(request)),
    }
    return render(request, "lifecycle/findings.html", context)


@permission("staff:findings.write")
@require_POST
@needs_proof
def take_in(request: HttpRequest) -> HttpResponse:
    """Take a scanner's file in."""
    chosen = typed(request, "method")
    method = Method(chosen) if chosen in set(Method.values) - {Method.PENETRATION.value} else None
    scans = importing.take_in(
        actor=actor_of(request), raw=uploaded(request, "file"), commit=typed(request, "commit"), method=method
    )
    for scan in scans:
        said = f"{scan.seen} seen, {scan.fresh} new, {scan.reopened} opened again, {scan.missed} no longer seen"
        messages.success(request, f"{scan.tool}: {said}.")
    return redirect("lifecycle:findings")


@permission("staff:findings.read")
@never_cache
@require_safe
def finding_page(request: HttpRequest, reference: str) -> HttpResponse:
    """Show one finding: what it is, where its time stands, what happened to it, what may be done."""
    finding, member, named = selectors.by_reference(reference), member_of(request), handles()
    held, proposal = members.rights_of(member), selectors.waiting_proposal(finding)
    live = finding.state in {State.OPEN, State.ACCEPTED}
    context = {
        "finding": finding,
        "clock": reading.clock_of(finding, dates.today()),
        "history": [(step, named.get(step.by, "")) for step in reversed(selectors.history(finding))],
        "retests": selectors.retests(finding),
        "missed": selectors.last_missed(finding) if live else None,
        "proposal": proposal,
        "asked_by": _asker(named, proposal) if proposal else "",
        "mine": proposal is not None and proposal.asked_by == member.id,
        "live": live,
        "by_scanner": finding.method in {Method.DEPENDENCIES, Method.LICENCES},
        "members": members.everybody(),
        "verdicts": Verdict.choices,
        "may_write": "findings.write" in held and live,
        "may_decide": "findings.decide" in held and live,
    }
    return render(request, "lifecycle/finding.html", context)


@permission("staff:findings.write")
@require_POST
@needs_proof
def finding_step(request: HttpRequest, reference: str) -> HttpResponse:
    """Give a finding to an owner, propose to leave it, or close it as fixed."""
    finding, actor = selectors.by_reference(reference), actor_of(request)
    match typed(request, "what"):
        case "assign":
            owner = next((one for one in members.everybody() if str(one.id) == typed(request, "owner")), None)
            if owner is None:
                raise Incomplete("Please choose one of the list.")
            services.assign(actor=actor, finding_id=finding.id, owner_id=owner.id)
        case "propose":
            _propose(request, actor, finding.id)
        case "fixed":
            services.close_as_fixed(
                actor=actor,
                finding_id=finding.id,
                test=typed(request, "test"),
                failed=uploaded(request, "failed"),
                failed_commit=typed(request, "failed_commit"),
                passed=uploaded(request, "passed"),
                passed_commit=typed(request, "passed_commit"),
            )
        case "fixed-by-scanner":
            services.close_by_scans(actor=actor, finding_id=finding.id)
        case _:
            raise Incomplete("Please choose one of the steps.")
    messages.success(request, "Done.")
    return redirect("lifecycle:finding", reference=finding.reference)


def _propose(request: HttpRequest, actor: Actor, finding_id: UUID) -> None:
    said = typed(request, "verdict")
    if said not in Verdict.values:
        raise Incomplete("Please choose one of the list.")
    verdict = Verdict(said)
    services.propose(
        actor=actor,
        finding_id=finding_id,
        verdict=verdict,
        reason=typed(request, "reason"),
        until=day(request, "until") if verdict is Verdict.ACCEPT else None,
    )


@permission("staff:findings.decide")
@require_POST
@needs_proof
def finding_rate(request: HttpRequest, reference: str) -> HttpResponse:
    """Rate a finding by a CVSS vector."""
    finding = selectors.by_reference(reference)
    services.rate(
        actor=actor_of(request),
        finding_id=finding.id,
        vector=typed(request, "vector"),
        reason=typed(request, "reason"),
    )
    messages.success(request, "Rated.")
    return redirect("lifecycle:finding", reference=finding.reference)


@permission("staff:findings.decide")
@require_POST
@needs_proof
def finding_decide(request: HttpRequest, reference: str) -> HttpResponse:
    """Agree to what somebody else proposed, or refuse it."""
    finding, said = selectors.by_reference(reference), typed(request, "agreed")
    waits: Proposal | None = selectors.waiting_proposal(finding)
    if waits is None:
        raise NotFound("Nothing is proposed about this finding.")
    if said not in {"yes", "no"}:
        raise Incomplete("Please agree or refuse.")
    services.decide(actor=actor_of(request), proposal_id=waits.id, agreed=said == "yes")
    messages.success(request, "Decided.")
    return redirect("lifecycle:finding", reference=finding.reference)
