"""The consent page: one question, asked separately, answered freely, taken back as easily."""

from typing import cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from headshotly.audit.actor import Actor
from headshotly.policy.permission import permission
from headshotly.policy.way_back import way_back
from headshotly.policy.wording import language
from headshotly.purposes import selectors, services
from headshotly.purposes.texts import current_text


def _subject(request: HttpRequest) -> UUID:
    return cast("UUID", request.user.pk)


def _customer(request: HttpRequest) -> Actor:
    return Actor(kind="customer", id=_subject(request))


def _next_page(request: HttpRequest) -> str:
    """Return where to go afterwards, only ever inside this site."""
    return way_back(request, otherwise="/studio/")


@permission("customer")
@require_http_methods(["GET", "POST"])
def consent(request: HttpRequest, activity: str) -> HttpResponse:
    """Show the current text of an activity, and record a yes to exactly that text."""
    text = current_text(activity, language())
    missing = False
    if request.method == "POST":
        if request.POST.get("agree") == "yes":
            services.give_consent(
                actor=_customer(request),
                subject=_subject(request),
                activity=activity,
                version=request.POST.get("version", ""),
                language=request.POST.get("language", ""),
            )
            return redirect(_next_page(request))
        missing = True
    return render(
        request,
        "purposes/consent.html",
        {
            "text": text,
            "in_force": selectors.consent_in_force(_subject(request), activity),
            "next": _next_page(request),
            "missing": missing,
        },
        status=422 if missing else 200,
    )


@permission("customer")
@require_POST
def withdraw(request: HttpRequest, activity: str) -> HttpResponse:
    """Take a consent back; work that is waiting or running for this person stops."""
    services.withdraw_consent(actor=_customer(request), subject=_subject(request), activity=activity)
    return redirect("purposes:consent", activity=activity)
