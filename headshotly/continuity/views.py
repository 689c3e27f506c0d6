"""Backups, drills and the plan, for operations and whoever oversees them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from headshotly.access import members
from headshotly.access.views import member_of, needs_proof
from headshotly.audit.actor import Actor
from headshotly.continuity import places, report, selectors, services
from headshotly.continuity.errors import PlacesRefused
from headshotly.continuity.plan import plan
from headshotly.policy.permission import permission


@permission("staff:continuity.read")
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show how everything stands against its objective, then the last backups and drills."""
    try:
        stores, refused = places.stores(), ""
    except PlacesRefused as refusal:
        stores, refused = (), refusal.sentence
    standings = [
        {
            "what": one.what,
            "good": one.good,
            "sentence": one.sentence,
            "age": "" if one.age is None else report.span(one.age.total_seconds()),
            "limit": report.span(one.limit.total_seconds()),
            "share": 100 if one.age is None else min(100, round(100 * (one.age / one.limit))),
        }
        for one in selectors.standings()
    ]
    mirrors = {one.region: one for one in selectors.mirrors()}
    checks = {one.region: one for one in selectors.checks()}
    context = {
        "standings": standings,
        "refused": refused,
        "regions": [(store, mirrors.get(store.region), checks.get(store.region)) for store in stores],
        "backups": selectors.backups(),
        "drills": [
            (one, "" if one.recovery_seconds is None else report.span(one.recovery_seconds))
            for one in selectors.drills()
        ],
    }
    return render(request, "continuity/overview.html", context)


@permission("staff:continuity.read")
@never_cache
@require_safe
def plan_page(request: HttpRequest) -> HttpResponse:
    """Show the plan as the drill executes it."""
    chosen = plan()
    promised = chosen.objectives
    objectives = [
        ("Time to recover", promised.recovery),
        ("Loss of data", promised.data_loss),
        ("Age of the newest backup", promised.backup_age),
        ("Age of the mirror of keys", promised.mirror_age),
        ("Age of the last passed drill", promised.drill_every),
    ]
    context = {
        "plan": chosen,
        "objectives": [(what, report.span(limit.total_seconds())) for what, limit in objectives],
        "standing": selectors.plan_standing(),
        "review": selectors.review(),
        "may_review": "plan.review" in members.rights_of(member_of(request)),
    }
    return render(request, "continuity/plan.html", context)


@permission("staff:plan.review")
@require_POST
@needs_proof
def plan_review(request: HttpRequest) -> HttpResponse:
    """Record that a member read the plan."""
    member = member_of(request)
    actor = Actor(kind="staff", id=member.id, role=member.role)
    services.review_plan(actor=actor, member=member, sha256=request.POST.get("sha256", ""))
    messages.success(request, "Your review is recorded.")
    return redirect("continuity:plan")


@permission("staff:continuity.read")
@never_cache
@require_safe
def drill_page(request: HttpRequest, drill_id: UUID) -> HttpResponse:
    """Show what a drill saw, step by step."""
    record = selectors.drill_of(drill_id)
    return render(request, "continuity/drill.html", {"drill": record, "report": report.of(record)})


@permission("staff:continuity.read")
@never_cache
@require_safe
def drill_pdf(_request: HttpRequest, drill_id: UUID) -> HttpResponse:
    """Give the report on paper."""
    record = selectors.drill_of(drill_id)
    return _download(report.pdf(record), "application/pdf", f"drill-{record.began_at:%Y-%m-%d}.pdf")


@permission("staff:continuity.read")
@never_cache
@require_safe
def drill_record(_request: HttpRequest, drill_id: UUID) -> HttpResponse:
    """Give the signed record, which anybody with the public key can check."""
    record = selectors.drill_of(drill_id)
    return _download(record.signed.encode(), "application/json", f"drill-{record.began_at:%Y-%m-%d}.json")


def _download(content: bytes, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
