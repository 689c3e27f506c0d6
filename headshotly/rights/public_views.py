"""For people without an account, and for everybody before they have one: asking, following, choosing, objecting."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from headshotly.accounts import patience
from headshotly.accounts.entering import client
from headshotly.accounts.errors import TooManyAttempts
from headshotly.audit.actor import VISITOR
from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal
from headshotly.rights import asking, forms, notices, services, signal, states, verifying
from headshotly.rights.services import MAILS_WINDOW, REQUESTS_PER_CLIENT, Words
from headshotly.rights.states import Channel, Kind, Regime

_FIELDS = ("text", "name", "email", "agent", "permission", "uploader")


def _patient(request: HttpRequest) -> None:
    """Let one client send a few requests an hour; a flood would hide the real ones.

    Raises:
        TooManyAttempts: this client sent too many.
    """
    counted = patience.key("rights-form", patience.network(client(request)))
    if not patience.within(counted, most=REQUESTS_PER_CLIENT, window=MAILS_WINDOW):
        raise TooManyAttempts(_("That was asked too often from here. Please wait an hour, or write us a mail."))


@permission("public")
@never_cache
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Take a request from somebody without an account, or from an authorised agent."""
    context: dict[str, Any] = {
        "kinds": [
            (kind.value, kind.label, verifying.needed(kind, Channel.FORM).sentence)
            for kind in Kind
            if kind in asking.BY_STRANGERS
        ],
        "regimes": Regime.choices,
        "chosen": request.GET.get("kind", ""),
    }
    if request.method == "POST":
        typed = {name: forms.text(request, name) for name in _FIELDS}
        try:
            _patient(request)
            received = asking.by_stranger(
                kind=forms.kind(request, among=asking.BY_STRANGERS),
                regime=forms.regime(request),
                words=Words(**typed),
            )
        except Refusal as refusal:
            context |= {"error": refusal.sentence, "typed": typed, "chosen": forms.text(request, "kind")}
            return render(request, "rights/ask.html", context, status=refusal.status)
        notices.tell_received(received.request, token=received.token)
        return render(request, "rights/asked.html", {"request_row": received.request})
    return render(request, "rights/ask.html", context)


@permission("public")
@never_cache
@require_http_methods(["GET", "POST"])
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """Show a stranger their request; a POST from the page confirms that the address is theirs.

    Opening alone confirms nothing, because mail scanners open links too.
    """
    found = services.request_of_link(token)
    if request.method == "POST":
        found = services.prove_mailbox(actor=VISITOR, token=token)
        messages.success(request, _("Thank you. Your address is confirmed."))
        return redirect("rights-public:follow", token=token)
    warrant = cast("Any", request).service_warrant(found.subject, "rights-notice")
    context = {
        "request_row": found,
        "last_day": services.last_day(found),
        "unproved": found.state == states.State.PROOF and not found.verified_how,
        "level": verifying.needed(Kind(found.kind), Channel(found.channel)).sentence,
        "reply": services.read_reply(request=found, warrant=warrant),
        "ground": states.GROUNDS.get(found.ground, ""),
        "routes": notices.complaint_routes(Regime(found.regime)),
    }
    return render(request, "rights/follow.html", context)


@permission("public")
@never_cache
@require_http_methods(["GET"])
def choices_page(request: HttpRequest) -> HttpResponse:
    """Show the privacy choices to anybody, and whether their browser's signal is honoured."""
    return render(request, "rights/choices.html", {"signalled": signal.has_signal(request)})


@permission("public")
@require_POST
def choices_set(request: HttpRequest) -> HttpResponse:
    """Opt this browser out without an account; nothing is asked."""
    answer = redirect("rights-public:choices")
    messages.success(request, _("Opt-Out Request Honored"))
    return signal.remember(answer)
