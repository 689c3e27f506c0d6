"""*Your data*: what is held, a copy of it, and every right one click away."""

from dataclasses import asdict
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from headshotly.accounts import proving
from headshotly.audit.actor import Actor
from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission
from headshotly.purposes import notices as declared
from headshotly.purposes import retention
from headshotly.purposes.declarations import limits
from headshotly.rights import (
    access_reply,
    asking,
    choices,
    erasure,
    exports,
    forms,
    history,
    notices,
    rooms,
    services,
    states,
    whereabouts,
)
from headshotly.rights.models import Export, ExportState, RightsRequest
from headshotly.rights.states import Channel, Kind, Regime, State
from headshotly.vault.warrant import Warrant

HOME = "rights:home"


def _subject(request: HttpRequest) -> UUID:
    return cast("UUID", request.user.pk)


def _actor(request: HttpRequest) -> Actor:
    return Actor(kind="customer", id=_subject(request))


def _warrant(request: HttpRequest, purpose: str) -> Warrant:
    return cast("Warrant", cast("Any", request).owner_warrant(purpose))


needs_proof = proving.needs_proof(HOME)


def _shown(one: RightsRequest) -> dict[str, Any]:
    state = State(one.state)
    return {
        "row": one,
        "last_day": services.last_day(one),
        "live": state in states.LIVE,
        "may_appeal": state in {State.ANSWERED, State.REFUSED} and one.kind != Kind.APPEAL,
        "ground": states.GROUNDS.get(one.ground, ""),
    }


def _export_shown(one: Export) -> dict[str, Any]:
    return {
        "export": one,
        "percent": 100 * one.steps_done // max(1, one.steps_total),
        "open": one.state in {ExportState.WAITING, ExportState.BUILDING},
        "ready": one.state == ExportState.READY,
    }


@permission("customer")
@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show every right, what was asked before, and how long things are kept."""
    subject = _subject(request)
    context = {
        "requests": [_shown(one) for one in history.requests_of(subject)],
        "exports": [_export_shown(one) for one in exports.of(subject)],
        "packing": any(_export_shown(one)["open"] for one in exports.of(subject)),
        "choice": choices.of(subject),
        "planned": erasure.planned(subject),
        "grace": erasure.GRACE_DAYS,
        "processing": asking.processing_of(subject),
        "limits": [
            {"limit": limit, "days": retention.days_for(subject, limit)} for limit in limits().values() if limit.choices
        ],
        "regimes": Regime.choices,
    }
    return render(request, "rights/home.html", context)


@permission("customer")
@never_cache
@require_safe
@needs_proof
def know(request: HttpRequest) -> HttpResponse:
    """Show everything that is held, readable."""
    held = rooms.export_all(_subject(request), _warrant(request, "access-request"))
    notice = declared.privacy_notice(configuration.current().operator)
    context = {"held": held, "notice": notice, "california": declared.CALIFORNIA_AUTHORITY}
    return render(request, "rights/know.html", context)


@permission("customer")
@never_cache
@require_POST
@needs_proof
def know_pdf(request: HttpRequest) -> HttpResponse:
    """Give the access reply of GDPR Art. 15 as PDF; it is a request, answered at once."""
    data = access_reply.reply(
        actor=_actor(request),
        subject=_subject(request),
        regime=forms.regime(request),
        warrant=_warrant(request, "access-request"),
        language=get_language() or "en",
    )
    answer = HttpResponse(data, content_type="application/pdf")
    answer["Content-Disposition"] = 'attachment; filename="what-we-hold-about-you.pdf"'
    answer["Cache-Control"] = "private, no-store"
    return answer


@permission("customer")
@require_POST
@needs_proof
def export_ask(request: HttpRequest) -> HttpResponse:
    """Ask for a copy to take along."""
    exports.ask(actor=_actor(request), subject=_subject(request), regime=forms.regime(request))
    messages.success(request, _("Your copy is being packed. This page shows when it is ready."))
    return redirect(f"{reverse(HOME)}#copy")


@permission("customer")
@never_cache
@require_safe
def export_progress(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """Answer how far a copy is."""
    shown = _export_shown(exports.one_of(_subject(request), export_id))
    return JsonResponse({"open": shown["open"], "percent": shown["percent"], "status": shown["export"].state})


@permission("customer")
@never_cache
@require_safe
@needs_proof
def export_download(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """Give a packed copy to its owner, piece by piece."""
    plain = exports.fetch(
        actor=_actor(request),
        subject=_subject(request),
        export_id=export_id,
        warrant=_warrant(request, "export-download"),
    )
    answer = StreamingHttpResponse(iter(plain), content_type="application/zip")
    answer["Content-Length"] = str(plain.length)
    answer["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    answer["Cache-Control"] = "private, no-store"
    return answer


@permission("customer")
@never_cache
@require_http_methods(["GET", "POST"])
@needs_proof
def delete(request: HttpRequest) -> HttpResponse:
    """Delete parts, or everything: now, or after time to think."""
    subject, what = _subject(request), forms.text(request, "what")
    if request.method == "POST" and what == "parts":
        gone = erasure.erase_parts(actor=_actor(request), subject=subject, parts=request.POST.getlist("parts"))
        messages.success(request, _("Pictures deleted for good: %(count)s.") % {"count": gone})
        return redirect(HOME)
    if request.method == "POST" and what == "later":
        erasure.plan(actor=_actor(request), subject=subject, days=forms.number(request, "days", empty=0))
        messages.success(request, _("It is planned. Until then you can call it off on this page."))
        return redirect(HOME)
    if request.method == "POST" and what == "everything" and forms.text(request, "sure") == "yes":
        receipt_id = erasure.erase_everything(actor=_actor(request), subject=subject)
        logout(request)
        return redirect("studio:receipt", receipt_id=receipt_id)
    context = {"grace": erasure.GRACE_DAYS, "planned": erasure.planned(subject), "unsure": request.method == "POST"}
    return render(request, "rights/delete.html", context, status=422 if request.method == "POST" else 200)


@permission("customer")
@require_POST
def delete_cancel(request: HttpRequest) -> HttpResponse:
    """Call a planned erasure off."""
    erasure.cancel_plan(actor=_actor(request), subject=_subject(request))
    messages.success(request, _("Called off. Everything stays."))
    return redirect(HOME)


@permission("customer")
@require_POST
@needs_proof
def processing(request: HttpRequest) -> HttpResponse:
    """Restrict a processing, object to it, or let it go on."""
    asking.change_processing(
        actor=_actor(request),
        subject=_subject(request),
        activity=forms.text(request, "activity"),
        what=forms.text(request, "what"),
        why=forms.text(request, "why"),
        regime=forms.regime(request),
    )
    messages.success(request, _("Done, at once."))
    return redirect(f"{reverse(HOME)}#processing")


@permission("customer")
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Opt out of sale and sharing, or limit the use of sensitive data; it counts at once."""
    kind = forms.kind(request, among=frozenset({Kind.OPT_OUT, Kind.LIMIT}))
    choices.record(actor=_actor(request), subject=_subject(request), kind=kind, channel=Channel.ACCOUNT)
    request.session.pop("opted_out", None)
    messages.success(request, _("Recorded. It counts from now on."))
    return redirect(f"{reverse(HOME)}#choices")


@permission("customer")
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Choose how long something is kept."""
    days = forms.text(request, "days")
    retention.choose(
        actor=_actor(request),
        subject=_subject(request),
        limit=forms.text(request, "limit"),
        days=None if days == "always" else forms.number(request, "days", empty=0),
    )
    messages.success(request, _("Saved."))
    return redirect(f"{reverse(HOME)}#keep")


@permission("customer")
@require_POST
@needs_proof
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for a correction, or anything that no button does, in one's own words."""
    received = asking.by_customer(
        actor=_actor(request),
        subject=_subject(request),
        kind=forms.kind(request, among=asking.IN_WORDS),
        regime=forms.regime(request),
        text=forms.text(request, "text"),
    )
    notices.tell_received(received)
    messages.success(request, _("We have your request %(reference)s.") % {"reference": received.reference})
    return redirect(f"{reverse(HOME)}#requests")


def _own_request(request: HttpRequest, request_id: UUID) -> RightsRequest:
    return asking.request_of(_subject(request), request_id)


@permission("customer")
@never_cache
@require_safe
@needs_proof
def one_request(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Show a request with what was written and what we answered."""
    found, warrant = _own_request(request, request_id), _warrant(request, "own-request")
    context = _shown(found) | {
        "words": services.read_words(request=found, warrant=warrant) if found.words else None,
        "reply": services.read_reply(request=found, warrant=warrant),
        "routes": notices.complaint_routes(Regime(found.regime)),
    }
    return render(request, "rights/request.html", context)


@permission("customer")
@require_POST
def withdraw(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Take a request back."""
    services.withdraw(actor=_actor(request), subject=_subject(request), request_id=request_id)
    return redirect(f"{reverse(HOME)}#requests")


@permission("customer")
@require_POST
@needs_proof
def appeal(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Appeal against an answer."""
    made = services.appeal(
        actor=_actor(request), subject=_subject(request), request_id=request_id, text=forms.text(request, "text")
    )
    notices.tell_received(made)
    messages.success(request, _("We have your appeal %(reference)s.") % {"reference": made.reference})
    return redirect("rights:request", request_id=made.id)


@permission("customer")
@enforces("1.2.c")
@never_cache
@require_safe
def where(request: HttpRequest) -> HttpResponse:
    """Show every store, region and vendor that ever held a picture."""
    return render(request, "rights/where.html", {"pictures": whereabouts.whereabouts(_subject(request))})


@permission("customer")
@never_cache
@require_safe
def where_json(request: HttpRequest) -> HttpResponse:
    """Give the same to keep."""
    answer = JsonResponse({"pictures": [asdict(one) for one in whereabouts.whereabouts(_subject(request))]})
    answer["Content-Disposition"] = 'attachment; filename="where-my-photos-went.json"'
    return answer
