"""The pages of the house itself."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_noop as noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from headshotly.frontdoor import gauges, metrics, settings
from headshotly.policy.permission import permission
from headshotly.studio.styles import STYLES

_GPC_UPDATED = "2026-11-24"


@permission("public")
@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Say what this is."""
    return render(request, "frontdoor/landing.html", {"styles": STYLES.values()})


@permission("public")
@never_cache
@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """Say that the process answers."""
    return HttpResponse("ok", content_type="text/plain")


@permission("service:metrics.read")
@never_cache
@require_safe
def measured(_request: HttpRequest) -> HttpResponse:
    """Tell a collector with a token what this server and the whole service measure (Prometheus' text form)."""
    folder = settings.metrics_folder()
    return HttpResponse(metrics.exposition(gauges.WHOLE_SERVICE, shared=folder), content_type=CONTENT_TYPE_LATEST)


@permission("public")
@require_safe
def gpc(_request: HttpRequest) -> HttpResponse:
    """Say that Global Privacy Control is honoured (https://w3c.github.io/gpc/)."""
    return JsonResponse({"gpc": True, "lastUpdate": _GPC_UPDATED})


def _error(request: HttpRequest, status: int, heading: str, sentence: str) -> HttpResponse:
    return render(request, "frontdoor/error.html", {"heading": heading, "sentence": sentence}, status=status)


@permission("public")
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """Answer a request that cannot be understood."""
    return _error(request, 400, noop("That did not work"), noop("Your browser sent something we could not understand."))


@permission("public")
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """Answer a request for something closed."""
    return _error(request, 403, noop("This is closed"), noop("You are not allowed to see this."))


@permission("public")
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer a form without its token."""
    return _error(
        request, 403, noop("This form is too old"), noop("Please go back, reload the page and send the form again.")
    )


@permission("public")
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """Answer a request for something that is not there."""
    return _error(request, 404, noop("There is nothing here"), noop("The address is wrong, or what was here is gone."))


@permission("public")
def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when something broke on our side."""
    return _error(
        request,
        500,
        noop("Something broke on our side"),
        noop("It was written down. Your data is safe; please try again."),
    )
