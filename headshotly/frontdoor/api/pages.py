"""The document for programs, and the page about it for people: no script, nothing from anywhere else."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_noop as noop
from django.views.decorators.http import require_safe

from headshotly.frontdoor.api import document, problems
from headshotly.integrations import allowance
from headshotly.policy import configuration
from headshotly.policy.permission import permission

_GROUPS = {
    "account": noop("Account and copies"),
    "photos": noop("Photos"),
    "jobs": noop("Jobs"),
    "results": noop("Headshots"),
    "team": noop("Teams"),
    "webhooks": noop("Endpoints"),
}
PROBLEMS: tuple[tuple[str, int, str], ...] = (
    ("access.token", 401, noop("Make a new token; this one is unknown, expired or revoked.")),
    ("access.scope", 403, noop("Make a token that has the scope named in WWW-Authenticate.")),
    ("consent.missing", 403, noop("The customer must agree on the consent page first.")),
    ("photo.no_face", 422, noop("Take another photo; other codes that begin with “photo.” say what is wrong with it.")),
    ("orders.payment_needed", 402, noop("Buy more headshots, or choose fewer.")),
    ("request.invalid", 422, noop("Mend the parts named in “errors”.")),
    ("studio.limit", 409, noop("Wait until a job is ready, or delete something.")),
    ("idempotency.key_reused", 422, noop("Choose a new key for a new request.")),
    ("idempotency.key_busy", 409, noop("Ask again in a moment with the same key.")),
    ("allowance.spent", 429, noop("Wait for as long as Retry-After says.")),
    ("http.404", 404, noop("It is not there, or somebody else's; which one is not said.")),
)


@cache
def _text() -> str:
    return document.as_text()


@permission("public")
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Give the OpenAPI document; it holds nothing of anybody."""
    answer = HttpResponse(_text(), content_type="application/json")
    answer["Cache-Control"] = "public, max-age=300"
    return answer


def _groups() -> list[dict[str, Any]]:
    found = document.operations()
    return [
        {"name": name, "title": title, "operations": [one for one in found if one["tag"] == name]}
        for name, title in _GROUPS.items()
    ]


@permission("public")
@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Describe the API to people."""
    here = configuration.current().public_url
    context = {
        "here": here,
        "server": here + problems.PREFIX.rstrip("/"),
        "most": allowance.most(),
        "groups": _groups(),
        "problems": [{"code": code, "status": status, "advice": advice} for code, status, advice in PROBLEMS],
    }
    return render(request, "frontdoor/api.html", context)
