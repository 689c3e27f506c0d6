"""The staff door: enrolment, sign-in with two factors, and the desk."""

import io
from typing import Any, cast

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from headshotly.access import services
from headshotly.access.errors import EnrolmentRefused, StaffSignInRefused
from headshotly.access.middleware import STAFF_COOKIE
from headshotly.accounts.errors import InputRefused
from headshotly.audit.selectors import waiting
from headshotly.policy.permission import permission


@permission("public")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest, token: str) -> HttpResponse:
    """Let a new member choose a password and show the first code of their authenticator app."""
    member = services.member_of_link(token)
    error, status = "", 200
    if request.method == "POST":
        try:
            services.enrol(token=token, password=request.POST.get("password", ""), code=request.POST.get("code", ""))
            return redirect("access:sign-in")
        except (EnrolmentRefused, InputRefused) as refusal:
            error, status = refusal.sentence, 422
    context = {"member": member, "secret": services.totp_secret(token), "error": error, "token": token}
    return render(request, "access/enrol.html", context, status=status)


@permission("public")
@never_cache
@require_safe
def enrol_qr(_request: HttpRequest, token: str) -> HttpResponse:
    """Draw the QR code of the secret being enrolled."""
    member = services.member_of_link(token)
    out = io.BytesIO()
    segno.make(services.provisioning_uri(member, token)).save(out, kind="svg", scale=5, border=3, light="white")
    return HttpResponse(out.getvalue(), content_type="image/svg+xml")


@permission("public")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign a member in with handle, password and code."""
    if request.method == "POST":
        try:
            token = services.sign_in(
                handle=request.POST.get("handle", ""),
                password=request.POST.get("password", ""),
                code=request.POST.get("code", ""),
            )
        except StaffSignInRefused as refusal:
            return render(request, "access/sign_in.html", {"error": refusal.sentence}, status=refusal.status)
        answer = redirect("access:desk")
        answer.set_cookie(STAFF_COOKIE, token, secure=True, httponly=True, samesite="Strict", path="/")
        return answer
    return render(request, "access/sign_in.html")


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
@never_cache
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """Show a member what concerns their role; today that is the state of the journal."""
    member = cast("Any", request).staff
    return render(request, "access/desk.html", {"member": member, "waiting": waiting()})
