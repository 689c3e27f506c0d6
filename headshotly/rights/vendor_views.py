"""The register of vendors in the console: who stands how, what waits for a decision, what runs out."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from headshotly.access import members
from headshotly.access.views import member_of, needs_proof
from headshotly.audit.actor import Actor
from headshotly.policy.permission import permission
from headshotly.rights import forms
from headshotly.rights.errors import Incomplete
from headshotly.vendors import closures, questionnaire, register, selectors
from headshotly.vendors.categories import CATEGORIES
from headshotly.vendors.models import Paper, Tier

_SUBPROCESSOR_PARTS = 3


def _actor(request: HttpRequest) -> Actor:
    member = member_of(request)
    return Actor(kind="staff", id=member.id, role=member.role)


@permission("staff:vendors.read")
@never_cache
@require_safe
def vendors_page(request: HttpRequest) -> HttpResponse:
    """Show every vendor with its standing and papers, what waits, and what went where."""
    held = members.rights_of(member_of(request))
    context = {
        "rows": [(one, selectors.documents_of(one.vendor.slug)) for one in selectors.in_use()],
        "proposed": selectors.proposed(),
        "assessments": selectors.waiting_assessments(),
        "outflows": selectors.outflows(),
        "strays": {one.id for one in selectors.strays()},
        "closed": closures.closed(),
        "questions": questionnaire.questions(),
        "kinds": CATEGORIES,
        "papers": Paper.choices,
        "tiers": Tier.choices,
        "may_write": "vendors.write" in held,
        "may_decide": "vendors.decide" in held,
        "me": f"staff:{member_of(request).id}",
    }
    return render(request, "rights/staff/vendors.html", context)


@permission("staff:vendors.write")
@require_POST
@needs_proof
def vendor_write(request: HttpRequest) -> HttpResponse:
    """Propose a vendor, record a paper, or answer the questionnaire."""
    match forms.text(request, "what"):
        case "propose":
            register.propose(actor=_actor(request), **_proposal(request))
        case "document":
            register.record_document(
                actor=_actor(request),
                slug=forms.text(request, "slug"),
                kind=forms.text(request, "kind"),
                title=forms.text(request, "title"),
                sha256=forms.text(request, "sha256").lower(),
                from_on=forms.day(request, "from_on"),
                until_on=forms.day(request, "until_on"),
            )
        case "assess":
            answers = {one.id: forms.text(request, f"answer-{one.id}") for one in questionnaire.questions()}
            register.assess(
                actor=_actor(request),
                slug=forms.text(request, "slug"),
                answers=answers,
                remarks=forms.text(request, "remarks"),
            )
        case _:
            raise Incomplete("Please choose one of the steps.")
    return redirect("rights-staff:vendors")


def _proposal(request: HttpRequest) -> dict[str, Any]:
    subprocessors = []
    for line in forms.text(request, "subprocessors").splitlines():
        parts = [part.strip() for part in line.split(",", _SUBPROCESSOR_PARTS - 1)]
        if any(parts):
            name, country, purpose = (*parts, "", "")[:_SUBPROCESSOR_PARTS]
            subprocessors.append({"name": name, "country": country, "purpose": purpose})
    return {
        "slug": forms.text(request, "slug"),
        "name": forms.text(request, "name"),
        "purpose": forms.text(request, "purpose"),
        "website": forms.text(request, "website"),
        "tier": forms.text(request, "tier"),
        "categories": request.POST.getlist("categories"),
        "regions": forms.text(request, "regions").replace(",", " ").split(),
        "hosts": forms.text(request, "hosts").replace(",", " ").lower().split(),
        "subprocessors": subprocessors,
    }


@permission("staff:vendors.decide")
@require_POST
@needs_proof
def vendor_decide(request: HttpRequest) -> HttpResponse:
    """Approve, refuse or end."""
    actor = _actor(request)
    match forms.text(request, "what"):
        case "approve":
            register.approve(actor=actor, vendor_id=_id(request))
        case "refuse":
            register.refuse(actor=actor, vendor_id=_id(request), because=forms.text(request, "because"))
        case "approve-assessment":
            register.approve_assessment(actor=actor, assessment_id=_id(request))
        case "end":
            register.end(actor=actor, slug=forms.text(request, "slug"), because=forms.text(request, "because"))
        case _:
            raise Incomplete("Please choose one of the steps.")
    return redirect("rights-staff:vendors")


def _id(request: HttpRequest) -> UUID:
    found = forms.uuids([forms.text(request, "id")])
    if not found:
        raise Incomplete("Please choose what to decide about.")
    return found[0]
