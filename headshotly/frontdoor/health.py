"""Whether this process lives, and whether what it needs answers; told to anybody in one word and nothing more."""

import concurrent.futures
import logging
import threading
from collections.abc import Callable
from uuid import UUID

from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.views.decorators.http import require_safe

from headshotly.frontdoor import broker
from headshotly.policy import clock
from headshotly.policy.permission import permission
from headshotly.vault import wiring as vault_engines

ANSWER_SECONDS = 4.0
TRUST_SECONDS = 2.0  # for which an answer serves, so that asking costs nothing
_NOBODY = UUID(int=0)
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"  # a word loads nothing
_logger = logging.getLogger(__name__)
draining = threading.Event()  # this process was told to end


def _database() -> None:
    for alias in connections:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")


def _key_service() -> None:
    vault_engines.key_service().wrap(bytes(32), {"purpose": "health"})


def _store() -> None:
    vault_engines.object_store().holds(_NOBODY, _NOBODY)


def _queue() -> None:
    carrier = broker.current()
    if carrier is not None:
        carrier.answers()


# The queue's broker is not among what a web process needs: without it workers look into the database (ADR 145). To
# take every web process from the balancer because of it would make an outage of a fault that nobody notices.
NEEDED: dict[str, Callable[[], None]] = {"database": _database, "key service": _key_service, "store": _store}
ALL = {**NEEDED, "queue": _queue}

_pool = concurrent.futures.ThreadPoolExecutor(max_workers=8, thread_name_prefix="health")
_asking: dict[str, "concurrent.futures.Future[None]"] = {}
_lock = threading.Lock()
_last: dict[str, object] = {"until": 0.0, "ready": False}


def _asked(check: Callable[[], None]) -> None:
    try:
        check()
    finally:
        connections.close_all()


def answering(checks: dict[str, Callable[[], None]]) -> dict[str, bool]:
    """Ask everything at once, and say of each whether it answered in time.

    Args:
        checks: name → what raises where something is wrong. One that hangs is not asked again until it has ended.
    """
    for name, check in checks.items():
        if name not in _asking or _asking[name].done():
            _asking[name] = _pool.submit(_asked, check)
    deadline = clock.monotonic() + ANSWER_SECONDS
    found = {}
    for name in checks:
        try:
            _asking[name].result(timeout=max(0.0, deadline - clock.monotonic()))
            found[name] = True
        except Exception as error:  # noqa: BLE001 - whatever is wrong, the answer is no; no words leave
            found[name] = False
            _logger.warning("ready.no-answer", extra={"step": name.replace(" ", "-"), "error": type(error).__name__})
    return found


def ready() -> bool:
    """Say whether this process can serve: it was not told to end, and what it needs answers."""
    if draining.is_set():
        return False
    with _lock:
        if clock.monotonic() >= float(str(_last["until"])):
            _last["ready"] = all(answering(NEEDED).values())
            _last["until"] = clock.monotonic() + TRUST_SECONDS
        return bool(_last["ready"])


def forget() -> None:
    """Ask anew next time."""
    _last["until"] = 0.0


def _said(*, good: bool) -> HttpResponse:
    answer = HttpResponse("ok" if good else "not", content_type="text/plain", status=200 if good else 503)
    answer["Cache-Control"] = "no-store"
    answer["Content-Security-Policy"] = _NOTHING
    # “Not” is an answer and no failure: without this Django logs an error for each probe while we drain.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


@permission("public")
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Say that the process lives."""
    return _said(good=True)


@permission("public")
@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """Say whether requests should be sent here."""
    return _said(good=ready())


class Probes:
    """Answers load balancers before anything else: they name us by number, keep no session, and ask all the time."""

    VIEWS: dict[str, Callable[[HttpRequest], HttpResponse]] = {"/healthz": healthz, "/readyz": readyz}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Take what answers everybody else."""
        self._get_response = get_response
        self._secure, self._framed = SecurityMiddleware(get_response), XFrameOptionsMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request; whoever else asks what a load balancer asks gets the headers of every other page."""
        view = self.VIEWS.get(request.path_info)
        if view is None:
            return self._get_response(request)
        return self._secure.process_response(request, self._framed.process_response(request, view(request)))
