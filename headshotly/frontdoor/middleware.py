"""What surrounds every request: its size, its headers, and plain words when something is refused."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render

from headshotly.access.middleware import PermissionGate
from headshotly.frontdoor import metrics, row_scope, tally
from headshotly.frontdoor.api import problems
from headshotly.incidents import blocks, containment, inspecting, watching
from headshotly.incidents.errors import ReadOnly
from headshotly.policy import clock, configuration, correlation, tracing
from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission_of
from headshotly.policy.refusal import Refusal

type Handler = Callable[[HttpRequest], HttpResponseBase]
_logger = logging.getLogger(__name__)

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)


def plain_answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Return a refusal as a page, as JSON where that was asked for, or as a problem where the API was."""
    if problems.wanted(request):
        return problems.of_refusal(refusal)
    if "application/json" in request.headers.get("Accept", "") or request.headers.get("Authorization"):
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
        if request.method == "HEAD" and isinstance(answer, HttpResponse):
            # The server would drop the body, but not without a line in the log for each such question.
            answer.headers.setdefault("Content-Length", str(len(answer.content)))
            answer.content = b""
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
    """Gives every request its id, leaves a line of its answer for the event stream and the log, and counts it.

    Outermost, so that refusals are seen as well. The id is told in ``X-Request-Id``, for whoever writes to us about it.
    """

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        request_id, began = uuid4().hex, clock.monotonic()
        with correlation.correlated(request_id=request_id), tracing.span("request") as span:
            answer = self._get_response(request) if span is None else self._traced(request)
            seconds = clock.monotonic() - began
            watching.saw_request(request, answer, seconds=seconds, inspection=getattr(request, "inspection", ""))
            match = request.resolver_match
            told: dict[str, Any] = {"route": match.view_name if match else "none", "method": request.method or ""}
            told |= {"status": answer.status_code, "seconds": round(seconds, 4)}
            if span is not None:
                span.set_attributes(told)
            _logger.info("request.answered", extra=told)
        metrics.saw_request(told["route"], answer.status_code, seconds)
        tally.OF_THIS_PROCESS.saw_request(told["route"], answer.status_code, seconds)
        answer["X-Request-Id"] = request_id
        return answer

    def _traced(self, request: HttpRequest) -> HttpResponseBase:
        from headshotly.frontdoor.tracing import watched_databases  # noqa: PLC0415 - loads OpenTelemetry

        with watched_databases():
            return self._get_response(request)

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


# What still changes something while the service is read-only: signing in and out, to look and download.
_WHILE_READ_ONLY = frozenset(
    {
        "accounts:sign-in",
        "accounts:second-factor",
        "accounts:second-factor-options",
        "accounts:passkey-sign-in",
        "accounts:passkey-sign-in-options",
        "accounts:sign-out",
        "language",
    }
)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@enforces("8.1.a-b")
class ReadOnlyGate:
    """Refuses whatever would change something while an incident has made the whole service read-only.

    Staff work on, for somebody must end it; programs with tokens too, for events must come in. A vendor's notice is
    answered with 503, and comes again.
    """

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any) -> Any:
        """Return the refusal, or None to let a request go on."""
        if request.method in _READING or (permission_of(view) or "").partition(":")[0] in {"staff", "service"}:
            return None
        match = request.resolver_match
        if (match is not None and match.view_name in _WHILE_READ_ONLY) or not containment.read_only():
            return None
        sentence = "We are looking into an incident. You can look and download; changes wait until it is over."
        answer = plain_answer(request, ReadOnly(sentence))
        answer["Retry-After"] = "600"
        return answer


class PlainGate(PermissionGate):
    """The permission gate, answering in plain words: Django shows a middleware's own refusals to nobody else."""

    def process_view(self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any) -> Any:
        """Return the gate's answer, or its refusal as a page or a problem; whom it lets in, the database is told."""
        needed = permission_of(view)
        try:
            answer = self.decide(request, needed)
        except Refusal as refusal:
            return plain_answer(request, refusal)
        if answer is None:
            row_scope.enter(request, needed or "")
        return answer


class PlainCsrf(CsrfViewMiddleware):
    """CSRF protection. It is the first to read a form, so it is where an upload turns out to be too much."""

    def process_view(self, request: HttpRequest, callback: Any, callback_args: Any, callback_kwargs: Any) -> Any:
        """Return Django's answer, or a refusal of the upload as a page."""
        try:
            return super().process_view(request, callback, callback_args, callback_kwargs)
        except Refusal as refusal:
            return plain_answer(request, refusal)


class RequestBlocked(Refusal):
    """The request looks like an attack, or comes from where attacks came from a moment ago."""

    code = "request.blocked"
    status = 403


@enforces("2.3.b")
class Inspected:
    """Refuses requests that look like attacks and addresses that are blocked; what it finds, the event stream hears.

    Option ``inspection.mode``: ``block`` unless it says ``note``.
    """

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request; path, query and headers are looked at here, its form once it is read."""
        if blocks.is_blocked(str(request.META.get("REMOTE_ADDR", ""))):
            cast("Any", request).inspection = "refused: blocked address"
            sentence = "Requests from your network are refused for a few minutes, because attacks came from it."
            return plain_answer(request, RequestBlocked(sentence))
        return self._judge(request, _said_outside(request)) or self._get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any) -> Any:
        """Look at the form or JSON of a request that CSRF protection let through.

        Programs of the house's that show a signature or a token instead may well send attacks: they report them. Staff
        write about attacks, and so does who reports a weakness; theirs are noted, and block nobody.
        """
        reports = getattr(view, "csrf_exempt", False) and permission_of(view) != "token"
        if request.method not in {"POST", "PUT", "PATCH"} or reports:
            return None
        quotes = (permission_of(view) or "").startswith("staff") or hasattr(view, inspecting.QUOTES)
        try:
            return self._judge(request, _said_inside(request), only_note=quotes)
        except Refusal as refusal:  # reading a form is where an upload turns out to be too much, or nobody's
            return plain_answer(request, refusal)

    @staticmethod
    def _judge(
        request: HttpRequest, parts: Iterable[tuple[str, str]], *, only_note: bool = False
    ) -> HttpResponse | None:
        findings = inspecting.inspect(parts)
        if not findings:
            return None
        only_note = only_note or configuration.current().options.get("inspection.mode") == "note"
        blocked = inspecting.blocks(findings) and not only_note
        cast("Any", request).inspection = f"{'blocked' if blocked else 'noted'}: {inspecting.shown(findings)}"
        if not blocked:
            return None
        sentence = "This request looks like an attack, so it was refused. If it was none, please write to us."
        return plain_answer(request, RequestBlocked(sentence))


def _said_outside(request: HttpRequest) -> Iterator[tuple[str, str]]:
    yield "path", request.path_info
    for name, values in request.GET.lists():
        yield "query", name
        for value in values:
            yield "query", value
    yield "agent", request.headers.get("User-Agent", "")
    for name in ("Referer", "X-Forwarded-For", "X-Api-Version", "Accept-Language"):
        yield "header", request.headers.get(name, "")


def _said_inside(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """Yield a form's names and values, but no secrets and no picture; or the start of a JSON body."""
    if request.content_type == "application/json":
        yield "body", request.body[: inspecting.VALUE_MAX].decode(errors="replace")
        return
    for name, values in request.POST.lists():
        yield "form", name
        if name not in _SECRETS:
            for value in values:
                yield "form", value
    for _, files in request.FILES.lists():
        for file in files:
            yield "form", str(getattr(file, "name", ""))


_SECRETS = frozenset({"password", "new_password", "old_password", "csrfmiddlewaretoken", "passkey", "answer", "token"})
