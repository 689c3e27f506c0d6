"""Errors of the API as problem details (RFC 9457): every one, whoever found it."""

import json
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

from headshotly.policy import configuration
from headshotly.policy.refusal import Refusal

PREFIX = "/api/v1/"
MEDIA_TYPE = "application/problem+json"
TYPES = "/api/"
_RETRY_SECONDS = 60  # what to wait where the server cannot say better


def wanted(request: HttpRequest) -> bool:
    """Say whether a request is the API's, so that its errors are problem details."""
    match = getattr(request, "resolver_match", None)
    return request.path_info.startswith(PREFIX) or (match is not None and match.namespace == "api")


def title_of(status: int) -> str:
    """Return the standard's name of a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Refused"


def problem(status: int, code: str, detail: str, **more: Any) -> HttpResponse:
    """Return one problem.

    Args:
        status: HTTP status.
        code: short stable identifier, such as ``photo.no_face``; the last part of the problem's type.
        detail: plain words, safe to show.
        more: further members, such as ``errors``.
    """
    document = {
        "type": f"{configuration.current().public_url}{TYPES}#{code}",
        "title": title_of(status),
        "status": status,
        "detail": detail,
        "code": code,
        **more,
    }
    answer = HttpResponse(json.dumps(document, ensure_ascii=False), status=status, content_type=MEDIA_TYPE)
    if status == HTTPStatus.UNAUTHORIZED:
        answer["WWW-Authenticate"] = 'Bearer realm="headshotly", error="invalid_token"'
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        answer["Retry-After"] = str(_RETRY_SECONDS)
    return answer


def of_refusal(refusal: Refusal) -> HttpResponse:
    """Return the problem that a refusal is; RFC 6750 says which scope a token lacks."""
    answer = problem(refusal.status, refusal.code, refusal.sentence)
    scope = getattr(refusal, "scope", "")
    if scope:
        answer["WWW-Authenticate"] = f'Bearer realm="headshotly", error="insufficient_scope", scope="{scope}"'
    return answer


def of_status(status: int) -> HttpResponse:
    """Return the problem that a bare status is, where nobody said more."""
    return problem(status, f"http.{status}", _SENTENCES.get(status, "This did not work."))


_SENTENCES = {
    400: "The request could not be understood.",
    403: "This is closed.",
    404: "There is nothing here.",
    405: "This address does not take this method.",
    413: "This is too much at once.",
    500: "Something broke on our side. It was written down; please try again.",
}
