"""Pages of an account. They read what was typed, call one verb, and show its answer."""

import logging
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from headshotly.accounts import entering, notices, patience, second_factor, selectors, services
from headshotly.accounts.errors import (
    BreachListUnreadable,
    InputRefused,
    PasskeyRefused,
    SignInRefused,
    TooManyAttempts,
)
from headshotly.accounts.models import Customer
from headshotly.accounts.passwords import is_breached
from headshotly.audit.actor import VISITOR, Actor
from headshotly.policy.permission import permission

_log = logging.getLogger(__name__)


def _typed(request: HttpRequest, *names: str) -> dict[str, str]:
    return {name: request.POST.get(name, "") for name in names}


def _again(request: HttpRequest, template: str, refusal: InputRefused, **context: Any) -> HttpResponse:
    """Show a form again with its error beside the field; passwords are never sent back."""
    context["errors"] = {refusal.field: refusal.sentence}
    return render(request, template, context, status=refusal.status)


@permission("public")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Open an account."""
    if request.method == "POST":
        typed = _typed(request, "name", "email", "password")
        try:
            services.sign_up(actor=VISITOR, **typed, client=entering.client(request))
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
        answer = entering.remember_browser(redirect(entering.HOME), customer)
        request.COOKIES[entering.KNOWN_COOKIE] = answer.cookies[entering.KNOWN_COOKIE].value  # no notice for this one
        entering.sign_in(request, customer, how="password")
        return answer
    return render(request, "accounts/confirm.html")


@permission("public")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign a customer in, or ask for their second factor."""
    then = entering.next_page(request)
    if request.method == "POST":
        typed = _typed(request, "email", "password")
        try:
            customer = services.verify_sign_in(
                **typed, client=entering.client(request), known_browser=entering.has_known_cookie(request)
            )
        except (SignInRefused, TooManyAttempts) as refusal:
            context = {"error": refusal.sentence, "typed": {"email": typed["email"]}, "next": then}
            return render(request, "accounts/sign_in.html", context, status=refusal.status)
        if second_factor.needed(customer):
            entering.half_sign_in(request, customer, then=then, breached=_known_to_thieves(typed["password"]))
            return redirect("accounts:second-factor")
        entering.sign_in(request, customer, how="password")
        if _known_to_thieves(typed["password"]):
            then = _ask_for_another_password(request)
        return entering.remember_browser(redirect(then), customer)
    return render(request, "accounts/sign_in.html", {"next": then})


def _known_to_thieves(password: str) -> bool:
    """Say whether a password that signs in is known from a breach; a list that cannot be read keeps nobody out."""
    try:
        return is_breached(password)
    except BreachListUnreadable as refusal:
        _log.error("breach-list.unreadable", extra={"code": refusal.code})
        return False


def _ask_for_another_password(request: HttpRequest) -> str:
    """Say that the password is known, and return where to change it."""
    messages.error(request, _("Your password has become known from a breach. Please choose another now."))
    return reverse("accounts:settings")


@permission("public")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_second(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor after the right password."""
    half = entering.half_signed_in(request)
    if half is None:
        return redirect("accounts:sign-in")
    customer = half.customer
    context: dict[str, Any] = {"has_app": bool(customer.totp_sealed)}
    if request.method == "POST":
        try:
            how = second_factor.answer(
                customer=customer,
                code=request.POST.get("code", ""),
                passkey=request.POST.get("passkey", ""),
                warrant=entering.service_warrant(request, customer, "second-factor"),
                known_browser=entering.knows_browser(request, customer),
            )
        except (InputRefused, PasskeyRefused, TooManyAttempts) as refusal:
            context["error"] = refusal.sentence
            return render(request, "accounts/second_factor.html", context, status=refusal.status)
        entering.sign_in(request, customer, how=how)
        then = _ask_for_another_password(request) if half.breached else half.then
        return entering.remember_browser(redirect(then), customer)
    return render(request, "accounts/second_factor.html", context)


@permission("public")
@never_cache
@require_POST
def sign_in_second_options(request: HttpRequest) -> HttpResponse:
    """Tell the browser which passkeys of the half signed-in customer will do."""
    half = entering.half_signed_in(request)
    if half is None:
        raise SignInRefused("Please sign in again.")
    return HttpResponse(second_factor.passkey_to_ask(half.customer), content_type="application/json")


@permission("public")
@never_cache
@require_POST
def sign_in_passkey_options(request: HttpRequest) -> HttpResponse:
    """Tell the browser to ask for any passkey of this site."""
    patience.require_within(patience.key("passkey-options", patience.network(entering.client(request))))
    return HttpResponse(second_factor.passkey_to_ask(None), content_type="application/json")


@permission("public")
@never_cache
@require_POST
def sign_in_passkey(request: HttpRequest) -> HttpResponse:
    """Sign a customer in with nothing but a passkey, which has verified its user."""
    try:
        customer = second_factor.use_passkey(answer=request.POST.get("passkey", ""), about=None)
    except PasskeyRefused as refusal:
        return render(request, "accounts/sign_in.html", {"error": refusal.sentence}, status=refusal.status)
    entering.sign_in(request, customer, how="passkey")
    return entering.remember_browser(redirect(entering.next_page(request)), customer)


@permission("customer")
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    services.record_sign_out(actor=_actor(request), subject=_customer(request).id)
    logout(request)
    answer = redirect("/")
    answer["Clear-Site-Data"] = '"cache"'
    return answer


@permission("public")
@never_cache
@require_http_methods(["GET", "POST"])
def ask_reset(request: HttpRequest) -> HttpResponse:
    """Ask for a link to choose a new password."""
    if request.method == "POST":
        services.ask_reset(email=request.POST.get("email", ""), client=entering.client(request))
        return redirect("accounts:check-mail")
    return render(request, "accounts/ask_reset.html")


@permission("public")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def reset(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a new password by the mailed link; a second factor is still asked for at sign-in."""
    if request.method == "POST":
        try:
            customer = services.reset_password(token=token, password=request.POST.get("password", ""))
        except InputRefused as refusal:
            return _again(request, "accounts/reset.html", refusal)
        _tell_password_changed(request, customer)
        return redirect("accounts:sign-in")
    return render(request, "accounts/reset.html")


def _tell_password_changed(request: HttpRequest, customer: Customer) -> None:
    notices.tell(
        customer,
        subject=noop("Your password was changed"),
        what=noop("A new password was set for your account, and every other session was ended."),
        warrant=entering.service_warrant(request, customer, "security-notice"),
    )


@permission("customer")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """Show and change one's own details."""
    customer = _customer(request)
    profile = selectors.profile(customer, warrant=cast("Any", request).owner_warrant("account-page"))
    context: dict[str, Any] = {"protected": second_factor.needed(customer)}
    status = 200
    if request.method == "POST":
        try:
            _change(request, customer, profile)
            return redirect("accounts:settings")
        except InputRefused as refusal:
            context["errors"] = {refusal.field: refusal.sentence}
            status = refusal.status
    context["profile"] = profile
    return render(request, "accounts/settings.html", context, status=status)


def _change(request: HttpRequest, customer: Customer, profile: selectors.Profile) -> None:
    if "name" in request.POST:
        services.change_name(actor=_actor(request), customer=customer, name=request.POST["name"])
        messages.success(request, _("Your name is saved."))
    elif "email" in request.POST:
        if not services.verify_password(customer, request.POST.get("proof", "")):
            raise InputRefused("This is not your password.", field="proof")
        services.ask_address_change(customer=customer, email=request.POST["email"])
        messages.success(request, _("If the address can be used, a mail with a link is on its way to it."))
    else:
        about = (profile.email, profile.name)
        services.change_password(customer=customer, **_typed(request, "current", "password"), about=about)
        update_session_auth_hash(request, customer)
        services.end_other_sessions(
            actor=_actor(request), subject=customer.id, session_key=request.session.session_key or ""
        )
        _tell_password_changed(request, customer)
        messages.success(request, _("Your password is changed. Every other session was ended."))


@permission("customer")
@never_cache
@require_http_methods(["GET", "POST"])
def change_address(request: HttpRequest, token: str) -> HttpResponse:
    """Use a new address once the link sent to it is opened; the old one is told."""
    if request.method == "POST":
        customer = _customer(request)
        before = Customer(id=customer.id, email_sealed=customer.email_sealed)
        services.change_address(
            customer=customer, token=token, warrant=cast("Any", request).owner_warrant("change-address")
        )
        notices.tell(
            before,
            subject=noop("Your address was changed"),
            what=noop("Your account uses another e-mail address from now on."),
            warrant=entering.service_warrant(request, customer, "security-notice"),
        )
        messages.success(request, _("Your new address is in use."))
        return redirect("accounts:settings")
    return render(request, "accounts/change_address.html")


def _customer(request: HttpRequest) -> Customer:
    return cast("Customer", request.user)


def _actor(request: HttpRequest) -> Actor:
    return Actor(kind="customer", id=_customer(request).id)
