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
# Codes with one advice stand together; each is an anchor of the page, which a problem's type leads to.
PROBLEMS: tuple[tuple[str, int, str], ...] = (
    ("access.token", 401, noop("Make a new token; this one is unknown, expired or revoked.")),
    ("access.scope", 403, noop("Make a token that has the scope named in WWW-Authenticate.")),
    ("consent.missing processing.restricted", 403, noop("The customer must agree on the consent page first.")),
    ("request.blocked", 403, noop("The request looked like an attack, such as an address that is not public.")),
    (
        "http.404 studio.not_found rights.not_found integrations.not_found orders.not_found",
        404,
        noop("It is not there, or somebody else's; which one is not said."),
    ),
    ("http.405", 405, noop("Use one of the methods named in Allow.")),
    ("request.not_json", 400, noop("Send a body that is JSON, in UTF-8.")),
    ("request.media_type", 415, noop("Send JSON, or a photo as multipart/form-data, and say so in Content-Type.")),
    ("request.too_large photo.too_large photo.too_many_pixels http.413", 413, noop("Send less at once.")),
    ("request.invalid page.cursor", 422, noop("Mend the parts named in “errors”.")),
    (
        (
            "photo.no_face photo.several_people photo.sideways photo.cut_off photo.too_small photo.turned_away "
            "photo.too_dark photo.in_shadow photo.over_exposed photo.blurred photo.eyes_closed photo.covered "
            "photo.unreadable photo.not_a_picture photo.truncated photo.empty"
        ),
        422,
        noop("Take another photo, or save it again; “errors” says what is wrong with it."),
    ),
    ("studio.style_unknown", 422, noop("Choose a style of the list of styles.")),
    ("orders.payment_needed", 402, noop("Buy more headshots, or choose fewer.")),
    ("orders.card_number", 422, noop("Send no card number; nothing of it was kept.")),
    ("orders.seat", 409, noop("The seat is not in the state for this; look at its state.")),
    ("studio.limit", 409, noop("Wait until a job is ready, or delete something.")),
    ("studio.not_now rights.not_now", 409, noop("It is not in the state for this; look at its state, and ask later.")),
    (
        "integrations.webhook https.address",
        422,
        noop("Name a public https address, and events of the list; at most five endpoints."),
    ),
    ("idempotency.key_unusable", 400, noop("Choose a key of 1 to 255 printable letters.")),
    ("idempotency.key_reused", 422, noop("Choose a new key for a new request.")),
    ("idempotency.key_busy", 409, noop("Ask again in a moment with the same key.")),
    ("allowance.spent", 429, noop("Wait for as long as Retry-After says.")),
    ("http.500", 500, noop("It is our mistake, and written down. Ask again with the same key.")),
    (
        (
            "service.read_only studio.busy vault.key_service_unavailable vault.store_unavailable vault.key_held "
            "journal.unavailable http.503"
        ),
        503,
        noop("Wait for as long as Retry-After says, then ask again with the same key."),
    ),
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
        "problems": [
            {"codes": codes.split(), "status": status, "advice": advice} for codes, status, advice in PROBLEMS
        ],
    }
    return render(request, "frontdoor/api.html", context)
