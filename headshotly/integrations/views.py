"""*Your programs*: tokens and endpoints in their owner's hands. What takes over something asks again who it is."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from headshotly.access.bearers import SCOPES
from headshotly.accounts import entering, notices, proving
from headshotly.accounts.models import Customer
from headshotly.audit.actor import Actor
from headshotly.integrations import tokens, troubles, webhooks
from headshotly.integrations.models import AccessToken, Trouble, WebhookDelivery, WebhookEndpoint
from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal
from headshotly.policy.wording import told
from headshotly.vault.warrant import Warrant
from headshotly.vendors.posting import WAITING, PostState

HOME = "integrations:home"
DAYS = (7, 30, 90, 365)
_needs_proof = proving.needs_proof(HOME)


def _customer(request: HttpRequest) -> Customer:
    return cast("Customer", request.user)


def _actor(request: HttpRequest) -> Actor:
    return Actor(kind="customer", id=_customer(request).id)


def _warrant(request: HttpRequest) -> Warrant:
    return cast("Warrant", cast("Any", request).owner_warrant("programs-page"))


def _tell(request: HttpRequest, what: str) -> None:
    """Write to the customer what may now be done in their name, so that somebody else's doing does not go unseen."""
    customer = _customer(request)
    notices.tell(
        customer,
        subject=noop("A program was let into your account"),
        what=what,
        warrant=entering.service_warrant(request, customer, "security-notice"),
    )


def _token(one: AccessToken, warrant: Warrant) -> dict[str, Any]:
    return {
        "row": one,
        "name": one.name.open(warrant),
        "may": [told(SCOPES[scope]) for scope in one.scopes if scope in SCOPES],
    }


def _endpoint(one: WebhookEndpoint, warrant: Warrant) -> dict[str, Any]:
    trouble = troubles.open_of(one)
    return {
        "row": one,
        "trouble": trouble,
        "paused": troubles.pauses(trouble),
        "gone": trouble is not None and trouble.what == Trouble.GONE,
        "url": webhooks.address_of(one, warrant=warrant),
        "events": [told(webhooks.EVENTS[event]) for event in one.events if event in webhooks.EVENTS],
    }


@permission("customer")
@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show tokens and endpoints."""
    subject, warrant = _customer(request).id, _warrant(request)
    context = {
        "tokens": [_token(one, warrant) for one in tokens.living(subject)],
        "endpoints": [_endpoint(one, warrant) for one in webhooks.endpoints_of(subject)],
    }
    return render(request, "integrations/home.html", context)


@permission("customer")
@never_cache
@require_http_methods(["GET", "POST"])
@_needs_proof
def token_new(request: HttpRequest) -> HttpResponse:
    """Make a token and show it, this once."""
    context: dict[str, Any] = {
        "scopes": [(scope, told(title)) for scope, title in SCOPES.items()],
        "days": DAYS,
        "chosen": request.POST.getlist("scopes"),
        "name": request.POST.get("name", ""),
    }
    if request.method != "POST":
        return render(request, "integrations/token_new.html", context)
    days = request.POST.get("days", "")
    try:
        token = tokens.issue(
            actor=_actor(request),
            subject=_customer(request).id,
            name=context["name"],
            scopes=context["chosen"],
            days=int(days) if days.isdecimal() and days.isascii() else 0,
        )
    except Refusal as refusal:
        context["error"] = refusal.sentence
        return render(request, "integrations/token_new.html", context, status=refusal.status)
    _tell(request, noop("A new access token was made. Whoever holds it may act for you, as far as you allowed."))
    return render(request, "integrations/once.html", {"token": token})


@permission("customer")
@require_POST
def token_revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Revoke a token; it takes no proof, for whoever suspects something must be quick."""
    tokens.revoke(actor=_actor(request), subject=_customer(request).id, token_id=token_id)
    messages.success(request, _("The token is revoked. Nothing opens with it any more."))
    return redirect(HOME)


@permission("customer")
@never_cache
@require_http_methods(["GET", "POST"])
@_needs_proof
def webhook_new(request: HttpRequest) -> HttpResponse:
    """Register an endpoint and show its secret, this once."""
    context: dict[str, Any] = {
        "events": [(event, told(title)) for event, title in webhooks.EVENTS.items()],
        "chosen": request.POST.getlist("events"),
        "url": request.POST.get("url", ""),
    }
    if request.method != "POST":
        return render(request, "integrations/webhook_new.html", context)
    try:
        made = webhooks.register(
            actor=_actor(request), subject=_customer(request).id, url=context["url"].strip(), events=context["chosen"]
        )
    except Refusal as refusal:
        context["error"] = refusal.sentence
        return render(request, "integrations/webhook_new.html", context, status=refusal.status)
    _tell(request, noop("A new endpoint was registered. It is told when something of yours is ready, by its id only."))
    return render(request, "integrations/once.html", {"secret": made.secret, "endpoint": made.endpoint})


def _delivery(row: WebhookDelivery) -> dict[str, Any]:
    return {
        "row": row,
        "event": told(webhooks.EVENTS.get(row.event, webhooks.TEST_TITLE)),
        "waits": row.state in WAITING,
        "failed": row.state == PostState.FAILED,
        "arrived": row.state == PostState.SENT,
    }


@permission("customer")
@never_cache
@require_safe
def webhook(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Show what was sent to an endpoint and what it answered."""
    found = webhooks.endpoint_of(_customer(request).id, endpoint_id)
    context = {
        "endpoint": _endpoint(found, _warrant(request)),
        "deliveries": [_delivery(row) for row in webhooks.deliveries_of(found)],
    }
    return render(request, "integrations/webhook.html", context)


@permission("customer")
@require_POST
def webhook_remove(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Remove an endpoint."""
    webhooks.remove(actor=_actor(request), subject=_customer(request).id, endpoint_id=endpoint_id)
    messages.success(request, _("The endpoint is removed. Nothing more is sent to it."))
    return redirect(HOME)


@permission("customer")
@require_POST
def webhook_resume(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Send to an endpoint again, first of all what it missed."""
    again = troubles.resume(actor=_actor(request), subject=_customer(request).id, endpoint_id=endpoint_id)
    said = _("We send to this endpoint again. Messages on their way, oldest first: %(count)s") % {"count": again}
    messages.success(request, said if again else _("We send to this endpoint again."))
    return redirect("integrations:webhook", endpoint_id=endpoint_id)


@permission("customer")
@require_POST
def webhook_test(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Send a message that says nothing happened."""
    webhooks.test(subject=_customer(request).id, endpoint_id=endpoint_id)
    messages.success(request, _("A test message is on its way. Reload the page to see what was answered."))
    return redirect("integrations:webhook", endpoint_id=endpoint_id)


@permission("customer")
@require_POST
def redeliver(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Send a message again."""
    row = troubles.redeliver(actor=_actor(request), subject=_customer(request).id, delivery_id=delivery_id)
    messages.success(request, _("The message is sent again."))
    return redirect("integrations:webhook", endpoint_id=row.endpoint_id)
