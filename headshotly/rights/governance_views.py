"""Impact assessments, the register of risks and publishing: pages for the DPO and those who write for them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from headshotly.access import members
from headshotly.access.views import member_of, needs_proof
from headshotly.audit.actor import Actor
from headshotly.policy.clauses import clauses
from headshotly.policy.mapping import unreviewed
from headshotly.policy.permission import permission
from headshotly.purposes import assessments, risks
from headshotly.purposes.declarations import activities
from headshotly.purposes.risks import Rating
from headshotly.rights import forms, legal_texts, mailing, publishing
from headshotly.rights.errors import Incomplete

_PARTS = (*assessments.CONTENTS, "views_of_people")


def _actor(request: HttpRequest) -> Actor:
    member = member_of(request)
    return Actor(kind="staff", id=member.id, role=member.role)


@permission("staff:governance.read")
@never_cache
@require_safe
def assessments_page(request: HttpRequest) -> HttpResponse:
    """Show which activities need an assessment and where each stands."""
    held = members.rights_of(member_of(request))
    context = {
        "risky": [(one, assessments.current(one)) for one in activities() if one.needs_dpia],
        "history": assessments.history(),
        "may_write": "assessments.write" in held,
        "may_decide": "assessments.decide" in held,
        "me": member_of(request).id,
    }
    return render(request, "rights/staff/assessments.html", context)


@permission("staff:assessments.write")
@require_POST
@needs_proof
def assessment_write(request: HttpRequest) -> HttpResponse:
    """Write an assessment, or record the authority's answer to a consultation."""
    if forms.text(request, "what") == "consultation":
        assessments.record_consultation(
            actor=_actor(request),
            assessment_id=forms.uuids([forms.text(request, "assessment")])[0],
            consulted_on=forms.day(request, "consulted_on"),
            answer=forms.text(request, "answer"),
        )
    else:
        assessments.write(
            actor=_actor(request),
            activity_id=forms.text(request, "activity"),
            contents={name: forms.text(request, name) for name in _PARTS},
            residual_high=forms.text(request, "residual_high") == "yes",
        )
    return redirect("rights-staff:assessments")


@permission("staff:assessments.decide")
@require_POST
@needs_proof
def assessment_decide(request: HttpRequest, assessment_id: UUID) -> HttpResponse:
    """Advise, approve or refuse."""
    actor = _actor(request)
    match forms.text(request, "what"):
        case "advise":
            assessments.advise(actor=actor, assessment_id=assessment_id, advice=forms.text(request, "advice"))
        case "approve":
            assessments.approve(actor=actor, assessment_id=assessment_id, review_on=forms.day(request, "review_on"))
        case "refuse":
            assessments.refuse(actor=actor, assessment_id=assessment_id, reason=forms.text(request, "reason"))
        case _:
            raise Incomplete("Please choose one of the steps.")
    return redirect("rights-staff:assessments")


@permission("staff:governance.read")
@never_cache
@require_safe
def risks_page(request: HttpRequest) -> HttpResponse:
    """Show the register of risks."""
    rows = [(risk, risks.residual(risk).score) for risk in risks.register()]
    context = {
        "rows": rows,
        "unaccepted": {risk.id for risk in risks.unaccepted()},
        "line": risks.ACCEPTED_LINE,
        "clauses": list(clauses()),
        "numbers": range(risks.LOWEST, risks.HIGHEST + 1),
        "may_write": "risks.write" in members.rights_of(member_of(request)),
    }
    return render(request, "rights/staff/risks.html", context)


@permission("staff:risks.write")
@require_POST
@needs_proof
def risk_write(request: HttpRequest) -> HttpResponse:
    """Record, accept or close a risk."""
    actor, what = _actor(request), forms.text(request, "what")
    if what == "record":
        risks.record(
            actor=actor,
            title=forms.text(request, "title"),
            threat=forms.text(request, "threat"),
            clause_ids=forms.text(request, "clauses").replace(",", " ").split(),
            before=Rating(forms.number(request, "likelihood", empty=0), forms.number(request, "impact", empty=0)),
            after=Rating(
                forms.number(request, "residual_likelihood", empty=0), forms.number(request, "residual_impact", empty=0)
            ),
            review_on=forms.day(request, "review_on"),
        )
        return redirect("rights-staff:risks")
    risk_id = forms.uuids([forms.text(request, "risk")])[0]
    if what == "accept":
        risks.accept(actor=actor, risk_id=risk_id, because=forms.text(request, "because"))
    elif what == "close":
        risks.close(actor=actor, risk_id=risk_id)
    else:
        raise Incomplete("Please choose one of the steps.")
    return redirect("rights-staff:risks")


@permission("staff:governance.read")
@never_cache
@require_safe
def documents_page(request: HttpRequest) -> HttpResponse:
    """Show every document, whether the software says something newer, and how far its mails are."""
    documents = [
        {
            "id": document,
            "title": title,
            "newest": legal_texts.versions(document)[0],
            "differs": legal_texts.differs(document),
            "changes": [
                change
                for change in legal_texts.difference(
                    legal_texts.versions(document)[0].body, legal_texts.working_text(document)
                )
                if change[0] != "same"
            ],
        }
        for document, title in legal_texts.TITLES.items()
    ]
    context = {
        "documents": documents,
        "unreviewed": unreviewed(),
        "history": [(one, mailing.progress(one)) for one in publishing.history()],
        "may_publish": "documents.publish" in members.rights_of(member_of(request)),
    }
    return render(request, "rights/staff/documents.html", context)


@permission("staff:documents.publish")
@require_POST
@needs_proof
def publish(request: HttpRequest) -> HttpResponse:
    """Publish a new version and have every customer told."""
    made = publishing.publish(
        actor=_actor(request),
        document=forms.text(request, "document"),
        effective_on=forms.day(request, "effective_on"),
        summary=forms.text(request, "summary"),
        summary_pl=forms.text(request, "summary_pl"),
    )
    messages.success(request, f"Published as {made.version}. The mails go out by themselves.")
    return redirect("rights-staff:documents")
