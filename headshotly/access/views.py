"""The staff door: enrolment, sign-in with two factors, proving again, and the desk."""

import functools
import io
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from headshotly.access import console, passkeys, services
from headshotly.access import desk as desks
from headshotly.access.errors import EnrolmentRefused, StaffSignInRefused
from headshotly.access.middleware import STAFF_COOKIE
from headshotly.access.models import StaffMember, StaffSession
from headshotly.accounts import patience
from headshotly.accounts.entering import client
from headshotly.accounts.errors import InputRefused, PasskeyRefused, TooManyAttempts
from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission
from headshotly.policy.way_back import way_back

type View = Callable[..., HttpResponse]


def member_of(request: HttpRequest) -> StaffMember:
    """Return who asks."""
    return cast("StaffMember", cast("Any", request).staff)


@enforces("2.4.b")
def needs_proof(view: View) -> View:
    """Send a member to show a second factor again, unless they did a few minutes ago."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        session = cast("StaffSession", cast("Any", request).staff_session)
        if request.method in {"GET", "HEAD"} or services.proved(session):
            return view(request, *args, **kwargs)
        messages.error(request, "Please show your second factor again, then repeat what you did.")
        return redirect(f"{reverse('access:prove')}?{urlencode({'next': reverse('access:desk')})}")

    return guarded


@permission("public")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest, token: str) -> HttpResponse:
    """Let a new member make a passkey, or choose a password and show the first code of their authenticator app."""
    member = services.member_of_link(token)
    error, status = "", 200
    if request.method == "POST":
        try:
            if request.POST.get("passkey"):
                services.enrol_with_passkey(token=token, answer=request.POST["passkey"])
            else:
                typed = {name: request.POST.get(name, "") for name in ("password", "code")}
                services.enrol(token=token, **typed)
            return redirect("access:sign-in")
        except (EnrolmentRefused, InputRefused, PasskeyRefused) as refusal:
            error, status = refusal.sentence, 422
    context = {"member": member, "secret": services.totp_secret(token), "error": error, "token": token}
    return render(request, "access/enrol.html", context, status=status)


@permission("public")
@never_cache
@require_POST
def enrol_options(_request: HttpRequest, token: str) -> HttpResponse:
    """Tell the browser of a new member to make a passkey."""
    member = services.member_of_link(token)
    return HttpResponse(passkeys.to_register(member, ceremony=passkeys.ENROL), content_type="application/json")


@permission("public")
@never_cache
@require_safe
def enrol_qr(_request: HttpRequest, token: str) -> HttpResponse:
    """Draw the QR code of the secret being enrolled."""
    member = services.member_of_link(token)
    out = io.BytesIO()
    segno.make(services.provisioning_uri(member, token)).save(out, kind="svg", scale=5, border=3, light="white")
    return HttpResponse(out.getvalue(), content_type="image/svg+xml")


def _entered(token: str, then: str = "/staff/") -> HttpResponse:
    answer = redirect(then)
    answer.set_cookie(STAFF_COOKIE, token, secure=True, httponly=True, samesite="Strict", path="/")
    return answer


@permission("public")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign a member in with handle, password and code, or with a passkey."""
    if request.method == "POST":
        try:
            if request.POST.get("passkey"):
                return _entered(services.sign_in_by_passkey(answer=request.POST["passkey"]))
            token = services.sign_in(
                handle=request.POST.get("handle", ""),
                password=request.POST.get("password", ""),
                code=request.POST.get("code", ""),
                client=client(request),
            )
        except (StaffSignInRefused, PasskeyRefused, TooManyAttempts) as refusal:
            return render(request, "access/sign_in.html", {"error": refusal.sentence}, status=refusal.status)
        return _entered(token)
    return render(request, "access/sign_in.html")


@permission("public")
@never_cache
@require_POST
def sign_in_options(request: HttpRequest) -> HttpResponse:
    """Tell the browser to ask for any staff passkey."""
    patience.require_within(patience.key("passkey-options", patience.network(client(request))))
    return HttpResponse(passkeys.to_ask(None), content_type="application/json")


@permission("staff")
@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the staff session."""
    services.end_session(request.COOKIES.get(STAFF_COOKIE, ""))
    answer = redirect("access:sign-in")
    answer.delete_cookie(STAFF_COOKIE)
    return answer


@permission("staff")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def prove(request: HttpRequest) -> HttpResponse:
    """Ask for a second factor again before a sensitive act."""
    then = way_back(request, otherwise="/staff/")
    context = {"next": then}
    if request.method == "POST":
        try:
            token = services.prove(
                session=cast("Any", request).staff_session,
                code=request.POST.get("code", ""),
                passkey=request.POST.get("passkey", ""),
            )
            return _entered(token, then)
        except (StaffSignInRefused, PasskeyRefused, TooManyAttempts) as refusal:
            context["error"] = refusal.sentence
            return render(request, "access/prove.html", context, status=refusal.status)
    return render(request, "access/prove.html", context)


@permission("staff")
@never_cache
@require_POST
def prove_options(request: HttpRequest) -> HttpResponse:
    """Tell the browser which passkeys of the member will do."""
    return HttpResponse(passkeys.to_ask(member_of(request)), content_type="application/json")


@permission("staff")
@never_cache
@require_POST
@needs_proof
def passkey_options(request: HttpRequest) -> HttpResponse:
    """Tell the browser to make a passkey."""
    return HttpResponse(passkeys.to_register(member_of(request)), content_type="application/json")


@permission("staff")
@never_cache
@require_POST
@needs_proof
def passkey_add(request: HttpRequest) -> HttpResponse:
    """Keep the passkey the browser made."""
    passkeys.add(member=member_of(request), answer=request.POST.get("passkey", ""))
    messages.success(request, "The passkey is added.")
    return redirect("access:desk")


@permission("staff")
@never_cache
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """Show a member first what waits for their role."""
    member = member_of(request)
    waits = [pair for _, pairs in console.places_of(member) for pair in pairs if pair[1]]
    return render(request, "access/desk.html", {"member": member, "waits": waits, **desks.of(member)})
