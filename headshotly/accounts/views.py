"""Pages of an account. They read what was typed, call one verb, and show its answer."""

from typing import Any, cast

from django.contrib.auth import login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from headshotly.accounts import selectors, services
from headshotly.accounts.errors import InputRefused, SignInRefused, TooManyAttempts
from headshotly.accounts.models import Customer
from headshotly.audit.actor import VISITOR, Actor
from headshotly.policy.permission import permission

_BACKEND = "django.contrib.auth.backends.ModelBackend"


def _typed(request: HttpRequest, *names: str) -> dict[str, str]:
    return {name: request.POST.get(name, "") for name in names}


def _again(request: HttpRequest, template: str, refusal: InputRefused, **context: Any) -> HttpResponse:
    """Show a form again with its error beside the field; passwords are never sent back."""
    context["errors"] = {refusal.field: refusal.sentence}
    return render(request, template, context, status=refusal.status)


def _next_page(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or "/studio/"
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else "/studio/"


@permission("public")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Open an account."""
    if request.method == "POST":
        typed = _typed(request, "name", "email", "password")
        try:
            services.sign_up(actor=VISITOR, **typed)
        except InputRefused as refusal:
            kept = {"name": typed["name"], "email": typed["email"]}
            return _again(request, "accounts/sign_up.html", refusal, typed=kept)
        return redirect("accounts:check-mail")
    return render(request, "accounts/sign_up.html")


@permission("public")
@require_safe
def check_mail(request: HttpRequest) -> HttpResponse:
    """Say that a mail is on its way, whatever the address was."""
    return render(request, "accounts/check_mail.html")


@permission("public")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm an address with the password chosen at sign-up, and sign in."""
    if request.method == "POST":
        try:
            customer = services.confirm(token=token, password=request.POST.get("password", ""))
        except InputRefused as refusal:
            return _again(request, "accounts/confirm.html", refusal)
        login(request, customer, backend=_BACKEND)
        return redirect("/studio/")
    return render(request, "accounts/confirm.html")


@permission("public")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign a customer in."""
    if request.method == "POST":
        typed = _typed(request, "email", "password")
        try:
            customer = services.verify_sign_in(**typed, client=str(request.META.get("REMOTE_ADDR", "")))
        except (SignInRefused, TooManyAttempts) as refusal:
            context = {
                "error": refusal.sentence,
                "typed": {"email": typed["email"]},
                "next": _next_page(request),
            }
            return render(request, "accounts/sign_in.html", context, status=refusal.status)
        login(request, customer, backend=_BACKEND)  # a new session key: nothing fixed beforehand survives
        return redirect(_next_page(request))
    return render(request, "accounts/sign_in.html", {"next": _next_page(request)})


@permission("customer")
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    services.record_sign_out(actor=_actor(request), subject=_customer(request).id)
    logout(request)
    return redirect("/")


@permission("public")
@never_cache
@require_http_methods(["GET", "POST"])
def ask_reset(request: HttpRequest) -> HttpResponse:
    """Ask for a link to choose a new password."""
    if request.method == "POST":
        services.ask_reset(email=request.POST.get("email", ""))
        return redirect("accounts:check-mail")
    return render(request, "accounts/ask_reset.html")


@permission("public")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def reset(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a new password by the mailed link."""
    if request.method == "POST":
        try:
            services.reset_password(token=token, password=request.POST.get("password", ""))
        except InputRefused as refusal:
            return _again(request, "accounts/reset.html", refusal)
        return redirect("accounts:sign-in")
    return render(request, "accounts/reset.html")


@permission("customer")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """Show and change one's own details."""
    customer = _customer(request)
    warrant = cast("Any", request).owner_warrant("account-page")
    context: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        try:
            _change(request, customer)
            return redirect("accounts:settings")
        except InputRefused as refusal:
            context, status = {"errors": {refusal.field: refusal.sentence}}, refusal.status
    context["profile"] = selectors.profile(customer, warrant=warrant)
    return render(request, "accounts/settings.html", context, status=status)


def _change(request: HttpRequest, customer: Customer) -> None:
    if "name" in request.POST:
        services.change_name(actor=_actor(request), customer=customer, name=request.POST["name"])
    else:
        services.change_password(customer=customer, **_typed(request, "current", "password"))
        update_session_auth_hash(request, customer)


def _customer(request: HttpRequest) -> Customer:
    return cast("Customer", request.user)


def _actor(request: HttpRequest) -> Actor:
    return Actor(kind="customer", id=_customer(request).id)
