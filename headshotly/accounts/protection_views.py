"""Pages on which customers protect their account: second factors, recovery codes, sessions.

Whatever weakens or takes over an account asks again who it is (``needs_proof``).
"""

import functools
import io
import secrets
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from headshotly.accounts import entering, notices, second_factor, selectors, services, totp
from headshotly.accounts.errors import InputRefused, PasskeyRefused
from headshotly.accounts.models import Customer
from headshotly.audit.actor import Actor
from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission
from headshotly.vault import services as vault

type View = Callable[..., HttpResponse]


def _customer(request: HttpRequest) -> Customer:
    return cast("Customer", request.user)


def _actor(request: HttpRequest) -> Actor:
    return Actor(kind="customer", id=_customer(request).id)


@enforces("10.2")
def needs_proof(view: View) -> View:
    """Send a customer to prove again who they are, unless they did a few minutes ago."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if entering.proved(request):
            return view(request, *args, **kwargs)
        return redirect(f"{reverse('accounts:prove')}?{urlencode({'next': reverse('accounts:protection')})}")

    return guarded


@permission("customer")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def prove(request: HttpRequest) -> HttpResponse:
    """Ask for the password or a passkey again before a sensitive act."""
    customer = _customer(request)
    context = {"next": entering.next_page(request), "has_passkeys": bool(second_factor.passkeys_of(customer))}
    if request.method == "POST":
        refused = _refused_proof(request, customer)
        if not refused:
            entering.prove(request)
            return redirect(str(context["next"]))
        return render(request, "accounts/prove.html", {**context, **refused}, status=422)
    return render(request, "accounts/prove.html", context)


def _refused_proof(request: HttpRequest, customer: Customer) -> dict[str, str]:
    """Return what is wrong with what a customer showed, empty where it is theirs."""
    if not request.POST.get("passkey"):
        right = services.verify_password(customer, request.POST.get("password", ""))
        return {} if right else {"error": _("This is not your password.")}
    try:
        second_factor.use_passkey(answer=request.POST["passkey"], about=customer, ceremony=second_factor.PROVE)
    except PasskeyRefused as refusal:
        return {"trouble": refusal.sentence}
    return {}


@permission("customer")
@never_cache
@require_POST
def prove_options(request: HttpRequest) -> HttpResponse:
    """Tell the browser which of the customer's passkeys will do."""
    asked = second_factor.passkey_to_ask(_customer(request), ceremony=second_factor.PROVE)
    return HttpResponse(asked, content_type="application/json")


@permission("customer")
@never_cache
@require_safe
def protection(request: HttpRequest) -> HttpResponse:
    """Show second factors and sessions. Recovery codes just made are shown once."""
    customer = _customer(request)
    context = {
        "has_app": bool(customer.totp_sealed),
        "passkeys": [
            {"id": bytes(one.credential_id).hex(), "created_at": one.created_at, "last_used_at": one.last_used_at}
            for one in second_factor.passkeys_of(customer)
        ],
        "codes_left": second_factor.codes_left(customer),
        "sessions": selectors.sessions_of(customer.id, session_key=request.session.session_key or ""),
    }
    return render(request, "accounts/protection.html", context)


def _changed(request: HttpRequest, what: str, codes: list[str]) -> HttpResponse:
    """Tell the customer by mail, and show new recovery codes on this one answer."""
    customer = _customer(request)
    notices.tell(
        customer,
        subject=noop("The protection of your account was changed"),
        what=what,
        warrant=entering.service_warrant(request, customer, "security-notice"),
    )
    if codes:
        return render(request, "accounts/codes.html", {"codes": codes, "what": _(what)})
    messages.success(request, _(what))
    return redirect("accounts:protection")


def _offered_secret(request: HttpRequest) -> str:
    """Return the secret this session offers to an authenticator app.

    It is derived, so that it is kept nowhere before the customer has shown that the app has it.
    """
    nonce = request.session.setdefault("totp_nonce", secrets.token_hex(16))
    return totp.derive_secret(vault.blind_index(field="accounts.totp-offer", value=f"{_customer(request).id}|{nonce}"))


@permission("customer")
@never_cache
@require_http_methods(["GET", "POST"])
@needs_proof
def app(request: HttpRequest) -> HttpResponse:
    """Take an authenticator app into use."""
    secret, context, status = _offered_secret(request), {}, 200
    if request.method == "POST":
        try:
            codes = second_factor.enrol_totp(
                customer=_customer(request), secret=secret, code=request.POST.get("code", "")
            )
            del request.session["totp_nonce"]
            return _changed(request, noop("An authenticator app protects your account now."), codes)
        except InputRefused as refusal:
            context, status = {"error": refusal.sentence}, refusal.status
    return render(request, "accounts/app.html", {"secret": secret, **context}, status=status)


@permission("customer")
@never_cache
@require_safe
@needs_proof
def app_qr(request: HttpRequest) -> HttpResponse:
    """Draw the QR code of the secret being offered."""
    address = totp.provisioning_uri(_offered_secret(request), name=_("Your account"), issuer="HeadShotly")
    out = io.BytesIO()
    segno.make(address).save(out, kind="svg", scale=5, border=3, light="white")
    return HttpResponse(out.getvalue(), content_type="image/svg+xml")


@permission("customer")
@require_POST
@needs_proof
def app_remove(request: HttpRequest) -> HttpResponse:
    """Stop using the authenticator app."""
    second_factor.remove_totp(customer=_customer(request))
    return _changed(request, noop("The authenticator app was removed from your account."), [])


@permission("customer")
@never_cache
@require_POST
@needs_proof
def codes_renew(request: HttpRequest) -> HttpResponse:
    """Replace the recovery codes."""
    customer = _customer(request)
    if not second_factor.needed(customer):
        raise InputRefused("Please add an authenticator app or a passkey first.", field="codes")
    return _changed(request, noop("New recovery codes were made."), second_factor.renew_codes(customer=customer))


@permission("customer")
@never_cache
@require_POST
@needs_proof
def passkey_options(request: HttpRequest) -> HttpResponse:
    """Tell the browser to make a passkey."""
    return HttpResponse(second_factor.passkey_to_register(_customer(request)), content_type="application/json")


@permission("customer")
@never_cache
@require_POST
@needs_proof
def passkey_add(request: HttpRequest) -> HttpResponse:
    """Keep the passkey the browser made."""
    try:
        codes = second_factor.add_passkey(customer=_customer(request), answer=request.POST.get("passkey", ""))
    except PasskeyRefused as refusal:
        messages.error(request, refusal.sentence)
        return redirect("accounts:protection")
    return _changed(request, noop("A passkey was added to your account."), codes)


@permission("customer")
@require_POST
@needs_proof
def passkey_remove(request: HttpRequest) -> HttpResponse:
    """Remove a passkey."""
    try:
        credential_id = bytes.fromhex(request.POST.get("id", ""))
    except ValueError:
        credential_id = b""
    second_factor.remove_passkey(customer=_customer(request), credential_id=credential_id)
    return _changed(request, noop("A passkey was removed from your account."), [])


@permission("customer")
@require_POST
@needs_proof
def session_end(request: HttpRequest) -> HttpResponse:
    """End one of one's other sessions, or all of them."""
    subject = _customer(request).id
    if request.POST.get("session"):
        services.end_session(actor=_actor(request), subject=subject, kept=request.POST["session"])
    else:
        services.end_other_sessions(
            actor=_actor(request), subject=subject, session_key=request.session.session_key or ""
        )
    return redirect("accounts:protection")
