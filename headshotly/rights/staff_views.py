"""The DPO's queue: requests and their clocks, figures, recipients to tell. What was written opens under the request."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from headshotly.access import members
from headshotly.access.views import member_of, needs_proof
from headshotly.access.warrants import request_warrant
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock, configuration
from headshotly.policy.permission import permission
from headshotly.purposes import record
from headshotly.purposes.declarations import activities
from headshotly.rights import clocks, forms, notices, objections, queue, services, states, verifying
from headshotly.rights.errors import Incomplete, NotFound
from headshotly.rights.models import RecipientNotice, RightsRequest
from headshotly.rights.states import Channel, Kind, Outcome, State

_YEAR = dt.timedelta(days=365)


def _actor(request: HttpRequest) -> Actor:
    member = member_of(request)
    return Actor(kind="staff", id=member.id, role=member.role)


@permission("staff:requests.read")
@never_cache
@require_safe
def queue_page(request: HttpRequest) -> HttpResponse:
    """Show what waits, what runs out and the figures of the last year; nothing anybody wrote."""
    context = {
        "waiting": queue.waiting(),
        "overdue": len(queue.overdue()),
        "untold": queue.untold(),
        "figures": queue.figures(since=clock.now() - _YEAR),
        "may_answer": "requests.answer" in members.rights_of(member_of(request)),
    }
    return render(request, "rights/staff/queue.html", context)


def _row(request_id: UUID) -> RightsRequest:
    found = RightsRequest.objects.select_related("appeal_of").filter(id=request_id).first()
    if found is None:
        raise NotFound("There is no such request.")
    return found


def _shown(request: HttpRequest, row: RightsRequest, **more: Any) -> HttpResponse:
    context = {
        "row": row,
        "last_day": services.last_day(row),
        "level": verifying.needed(Kind(row.kind), Channel(row.channel)),
        "grounds": states.GROUNDS.items(),
        "live": State(row.state) in states.LIVE,
        "proof": row.state == State.PROOF,
        "recipients": RecipientNotice.objects.filter(request=row),
        "may_answer": "requests.answer" in members.rights_of(member_of(request)),
        "keep_until": clocks.keep_record_until(row.received_at.date()),
        "about_photo": row.kind == Kind.PHOTO,
        **more,
    }
    return render(request, "rights/staff/request.html", context)


@permission("staff:requests.read")
@never_cache
@require_safe
def request_page(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Show where a request stands; what was written stays sealed until it is opened."""
    return _shown(request, _row(request_id))


@permission("staff:requests.answer")
@never_cache
@require_POST
@needs_proof
def request_read(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Open what the person wrote to us in this request."""
    row = _row(request_id)
    if not row.words:
        raise NotFound("What was written is gone with the person's key.")
    warrant = request_warrant(member=member_of(request), subject=row.subject, reference=row.reference)
    audit.record(actor=_actor(request), act=Act.REQUEST_READ, subject=row.subject, purpose=row.reference)
    return _shown(request, row, words=services.read_words(request=row, warrant=warrant))


@permission("staff:requests.answer")
@require_POST
@needs_proof
def request_act(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Take one step with a request: verify, extend, answer, refuse."""
    actor, reply = _actor(request), forms.text(request, "reply")
    match forms.text(request, "what"):
        case "verify":
            services.record_verification(
                actor=actor,
                request_id=request_id,
                facts=forms.number(request, "facts", empty=0),
                declaration=forms.text(request, "declaration") == "yes",
                permission=forms.text(request, "permission") == "yes",
            )
        case "extend":
            row = services.extend(actor=actor, request_id=request_id, because=reply)
            _say_whether_told(request, told=notices.tell_extended(row))
        case "answer":
            ground = forms.text(request, "ground")
            outcome = Outcome.PARTLY if ground else Outcome.GRANTED
            row = services.answer(actor=actor, request_id=request_id, reply=reply, outcome=outcome, ground=ground)
            _say_whether_told(request, told=notices.tell_ended(row, reply=reply))
        case "refuse":
            row = services.refuse(actor=actor, request_id=request_id, ground=forms.text(request, "ground"), reply=reply)
            _say_whether_told(request, told=notices.tell_ended(row, reply=reply))
        case _:
            raise Incomplete("Please choose one of the steps.")
    return redirect("rights-staff:request", request_id=request_id)


def _say_whether_told(request: HttpRequest, *, told: bool) -> None:
    if told:
        messages.success(request, "Done; the person was written to.")
    else:
        messages.error(request, "Done, but the mail was not handed over. Please tell the person another way.")


@permission("staff:requests.answer")
@require_POST
@needs_proof
def recipient_told(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Record that a recipient was told."""
    services.record_told(actor=_actor(request), notice_id=notice_id, how=forms.text(request, "how"))
    return redirect("rights-staff:queue")


@permission("staff:requests.answer")
@require_POST
@needs_proof
def photo_objection(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Stop work on an uploader's photos while an objection is judged, or decide about it."""
    subject = forms.uuids([forms.text(request, "subject")])[0]
    actor = _actor(request)
    match forms.text(request, "what"):
        case "pause":
            objections.pause(actor=actor, request_id=request_id, subject=subject)
        case "uphold":
            photos = forms.uuids(request.POST.getlist("photos"))
            objections.uphold(actor=actor, request_id=request_id, subject=subject, photo_ids=photos)
        case "release":
            objections.release(actor=actor, request_id=request_id, subject=subject)
        case _:
            raise Incomplete("Please choose one of the steps.")
    messages.success(request, "Done, and journalled.")
    return redirect("rights-staff:request", request_id=request_id)


@permission("staff:governance.read")
@never_cache
@require_safe
def processing_record(request: HttpRequest) -> HttpResponse:
    """Show the record of processing (GDPR Art. 30), or give it as CSV or JSON."""
    form = request.GET.get("form", "")
    if form == "csv":
        answer = HttpResponse(record.as_csv(activities()), content_type="text/csv; charset=utf-8")
    elif form == "json":
        document = record.as_json(activities(), operator=configuration.current().operator)
        answer = HttpResponse(document, content_type="application/json")
    else:
        return render(request, "rights/staff/record.html", {"rows": record.rows(activities())})
    answer["Content-Disposition"] = f'attachment; filename="record-of-processing.{form}"'
    return answer
