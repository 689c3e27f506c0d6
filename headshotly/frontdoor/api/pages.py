"""The document for programs, and the page about it for people."""

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from headshotly.frontdoor.api import document
from headshotly.policy.permission import permission


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
