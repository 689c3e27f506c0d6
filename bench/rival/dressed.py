"""What the dressed rival has beside the bare one: the service's own templates and words, and what surrounds a request.

It is the issue's “same Django without our rooms” to the letter: our base page and gallery, our translations in two
languages, static files, security headers, a line in a log and a number for each request; plain files, no journal, no
keys, no warrants, no gate, no inspection.
"""

import json
import logging
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.conf import settings  # noqa: TID251 - a project of its own
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.cache import never_cache

from bench.rival.models import Picture
from headshotly.policy.operator import Operator

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
_logger = logging.getLogger("bench.rival")
type Handler = Callable[[HttpRequest], HttpResponse]


class Surrounded:
    """Sets the headers every answer of the service carries, and logs the request."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        began, request_id = time.monotonic(), uuid4().hex
        answer = self._get_response(request)
        answer.headers.setdefault("Content-Security-Policy", _CSP)
        answer.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), interest-cohort=()")
        answer.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        answer["X-Request-Id"] = request_id
        line = {"id": request_id, "path": request.path_info, "status": answer.status_code}
        _logger.info(json.dumps(line | {"seconds": round(time.monotonic() - began, 4)}))
        return answer


def around(_request: HttpRequest) -> dict[str, Any]:
    """Return what the base page shows."""
    return {"operator": Operator(), "environment": "local", "gpc": False}


@never_cache
@login_required
def gallery(request: HttpRequest) -> HttpResponse:
    """Show the pictures of whoever asks on the service's own page."""
    found = list(Picture.objects.filter(owner=request.user).order_by("made_at"))
    context = {
        "shoot": {"id": uuid4(), "sentence": ""},
        "headshots": [{"headshot": one, "title": one.title} for one in found],
        "favourites": any(one.favourite for one in found),
        "progress": {"status": "done", "open": False, "percent": 100, "sentence": "Done."},
        "styles": [{"id": f"style-{number}", "title": f"Style {number}"} for number in range(settings.STYLES)],
        "brand_colour": "#336699",
        "again": True,
    }
    return render(request, "studio/shoot.html", context)


def _nothing(_request: HttpRequest, **_kwargs: Any) -> HttpResponse:
    return HttpResponse(status=404)


def _room(name: str, *routes: tuple[str, str]) -> URLResolver:
    patterns = [path(route, _nothing, name=view) for route, view in routes]
    return path(f"{name}/", include((patterns, name), namespace=name))


def addresses(own: list[URLPattern]) -> list[URLPattern | URLResolver]:
    """Return the rival's own addresses and those that the service's pages link to."""
    one, shoot = "headshots/<uuid:one>", "shoots/<uuid:shoot>"
    return [
        *own,
        _room(
            "studio",
            ("", "home"),
            (f"{shoot}/progress/", "progress"),
            (f"{shoot}/cancel/", "cancel"),
            (f"{shoot}/redo/", "redo"),
            (f"{shoot}/headshots.zip", "download-all"),
            (f"{one}.jpg", "headshot"),
            (f"{one}/favourite/", "favourite"),
            (f"{one}/download/", "download"),
            (f"{one}/delete/", "headshot-delete"),
        ),
        _room("openings", ("", "page")),
        _room("rights", ("", "home")),
        _room("orders", ("", "history"), ("prices/", "prices")),
        _room("accounts", ("", "settings"), ("out/", "sign-out"), ("in/", "sign-in"), ("up/", "sign-up")),
        _room("policy", ("", "policy")),
        _room("trust", ("", "page"), ("weakness/", "reporting")),
        _room("notices", ("", "privacy"), ("contact/", "contact")),
        _room("rights-public", ("", "choices")),
        _room("documents", ("", "index")),
        path("api/", _nothing, name="api-page"),
        path("language/", _nothing, name="language"),
    ]
