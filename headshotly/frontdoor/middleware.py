"""What surrounds every request: its size, its headers, and plain words when something is refused."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render

from headshotly.access.middleware import PermissionGate
from headshotly.incidents import watching
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal

type Handler = Callable[[HttpRequest], HttpResponseBase]

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)


def plain_answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Return a refusal as a page, or as JSON where that was asked for."""
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"code": refusal.code, "sentence": refusal.sentence}, status=refusal.status)
    return render(request, "frontdoor/refusal.html", {"refusal": refusal}, status=refusal.status)


class TooLarge(Refusal):
    """The request announces more bytes than are ever read."""

    code = "request.too_large"
    status = 413


@enforces("1.2.d", "3.1.b")
class Surroundings:
    """Refuses oversized requests before their body is read, and sets the headers every answer carries."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        answer = self._too_large(request) or self._get_response(request)
        answer.headers.setdefault("Content-Security-Policy", _CONTENT_SECURITY_POLICY)
        answer.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), interest-cohort=()")
        answer.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if request.headers.get("Sec-GPC") == "1":
            # Nothing is sold or shared for anybody; the signal is honoured by saying so (11 CCR 7025(c)(6)).
            answer.headers["X-Opt-Out-Request"] = "honored"
        return answer

    @staticmethod
    def _too_large(request: HttpRequest) -> HttpResponse | None:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        most = configuration.current().request_bytes_max
        if announced.isdecimal() and int(announced) <= most:
            return None
        answer = plain_answer(request, TooLarge(f"This is too much at once: {most >> 20} MB is the most we take."))
        answer["Connection"] = "close"
        return answer


class Watched:
    """Leaves a line of every answered request for the event stream; outermost, so that refusals are seen as well."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        began = clock.monotonic()
        answer = self._get_response(request)
        found = getattr(request, "inspection", "")
        watching.saw_request(request, answer, seconds=clock.monotonic() - began, inspection=found)
        return answer

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """Leave a line of what a view did not foresee."""
        if not isinstance(error, Refusal):
            match = request.resolver_match
            watching.saw_failure(product="django", error=type(error).__name__, where=match.view_name if match else "")


class PlainRefusals:
    """Turns a refusal raised by a view into plain words with the right status."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the answer to a refusal; every other error is the server's fault and stays one."""
        return plain_answer(request, error) if isinstance(error, Refusal) else None


class PlainGate(PermissionGate):
    """The permission gate, answering in plain words: Django shows a middleware's own refusals to nobody else."""

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Return the gate's answer, or its refusal as a page."""
        try:
            return super().process_view(request, view, args, kwargs)
        except Refusal as refusal:
            return plain_answer(request, refusal)


class PlainCsrf(CsrfViewMiddleware):
    """CSRF protection. It is the first to read a form, so it is where an upload turns out to be too much."""

    def process_view(self, request: HttpRequest, callback: Any, callback_args: Any, callback_kwargs: Any) -> Any:
        """Return Django's answer, or a refusal of the upload as a page."""
        try:
            return super().process_view(request, callback, callback_args, callback_kwargs)
        except Refusal as refusal:
            return plain_answer(request, refusal)
