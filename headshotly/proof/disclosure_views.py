"""For whoever finds a weakness: where to tell us, what we promise, whom we thanked; security.txt and its key."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_safe

from headshotly.accounts import patience
from headshotly.accounts.entering import client
from headshotly.accounts.errors import TooManyAttempts
from headshotly.audit.actor import VISITOR
from headshotly.incidents.inspecting import quotes_attacks
from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal
from headshotly.proof import letters, reporting, security_text, threats, waiting, weakness_states
from headshotly.proof.reporting import Words
from headshotly.proof.weakness_states import Channel, fix_days

REPORTS_PER_CLIENT = 10
_FIELDS = ("text", "where", "name", "email", "thank_as")


def _patient(request: HttpRequest) -> None:
    counted = patience.key("weakness-form", patience.network(client(request)))
    if not patience.within(counted, most=REPORTS_PER_CLIENT, window=patience.FORGOTTEN_AFTER):
        raise TooManyAttempts(_("Many reports came from here today. Please write to the security address instead."))


@quotes_attacks
@permission("public")
@never_cache
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Take a report of a weakness in; an address is not needed."""
    if request.method != "POST":
        return render(request, "proof/report.html")
    typed = {name: request.POST.get(name, "").strip() for name in _FIELDS}
    try:
        _patient(request)
        words = Words(
            text=typed["text"],
            where=typed["where"],
            name=typed["name"],
            email=typed["email"],
            thank_as=typed["thank_as"],
        )
        made = reporting.receive(actor=VISITOR, channel=Channel.FORM, words=words)
    except Refusal as refusal:
        context = {"error": refusal.sentence, "typed": typed}
        return render(request, "proof/report.html", context, status=refusal.status)
    letters.tell_security(made)
    told = letters.tell_received(made, words)
    return render(request, "proof/reported.html", {"report": made, "told": told})


@permission("public")
@require_safe
def reporting_policy(request: HttpRequest) -> HttpResponse:
    """Say how to report, what we promise, and that good faith is safe."""
    context = {
        "days": weakness_states.ACKNOWLEDGE_DAYS,
        "limits": [(_(severity.label), days) for severity, days in fix_days().items()],
        "counts": waiting.counts(),
        "signed": security_text.current(),
    }
    return render(request, "proof/reporting.html", context)


@permission("public")
@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """Show whom we thank."""
    return render(request, "proof/thanks.html", {"hall": waiting.hall()})


@permission("public")
@require_safe
def threat_model(request: HttpRequest) -> HttpResponse:
    """Show the threat model: every room, every threat, its clauses and tests."""
    return render(request, "proof/threat_model.html", {"rooms": threats.model(), "stride": threats.STRIDE.items()})


def _not_yet() -> HttpResponse:
    answer = HttpResponse("This is signed within a minute of the first start.\n", content_type="text/plain")
    answer.status_code = HTTPStatus.NOT_FOUND
    answer["Retry-After"] = "60"
    return answer


@permission("public")
@cache_control(public=True, max_age=3600)
@require_safe
@enforces("10.3")
def security_txt(_request: HttpRequest) -> HttpResponse:
    """Give the signed security.txt (RFC 9116); the newest one, which a duty keeps from expiring."""
    newest = security_text.current()
    if newest is None:
        return _not_yet()
    return HttpResponse(newest.signed, content_type="text/plain; charset=utf-8")


@permission("public")
@require_safe
def security_txt_elsewhere(_request: HttpRequest) -> HttpResponse:
    """Lead from the old place to the one of RFC 9116, section 3."""
    return HttpResponsePermanentRedirect(security_text.ADDRESS)


@permission("public")
@cache_control(public=True, max_age=3600)
@require_safe
def openpgp_key(_request: HttpRequest) -> HttpResponse:
    """Give the public key that signs security.txt and that reports can be encrypted to."""
    newest = security_text.current()
    if newest is None:
        return _not_yet()
    answer = HttpResponse(newest.certificate, content_type="application/pgp-keys")
    answer["Content-Disposition"] = 'inline; filename="headshotly-security.asc"'
    return answer
