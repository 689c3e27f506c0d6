"""Global Privacy Control: honoured on the first request, for the browser, the profile and the customer."""

from collections.abc import Callable
from typing import Any, cast

from django.http import HttpRequest, HttpResponseBase

from headshotly.audit.actor import Actor
from headshotly.policy.enforcement import enforces
from headshotly.rights import choices
from headshotly.rights.states import Channel, Kind

SIGNAL = "Sec-GPC"
COOKIE = "__Host-gpc"
NOTED = "opted_out"
_YEAR_SECONDS = 365 * 24 * 3600


def has_signal(request: HttpRequest) -> bool:
    """Say whether the browser sends the signal, or sent it before (https://w3c.github.io/gpc/)."""
    return request.headers.get(SIGNAL) == "1" or request.COOKIES.get(COOKIE) == "1"


def remember[Answer: HttpResponseBase](answer: Answer) -> Answer:
    """Let the browser be known as opted out; the cookie holds one digit and names nobody."""
    answer.set_cookie(COOKIE, "1", max_age=_YEAR_SECONDS, secure=True, httponly=True, samesite="Lax", path="/")
    return answer


@enforces("1.2.d")
class PrivacySignal:
    """Records the signal with the customer's profile the first time it is seen, and remembers it in the browser.

    It stands behind the session, so that the customer is known.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        signalled = has_signal(request)
        if signalled:
            self._bind(request)
        cast("Any", request).opted_out = signalled or self._is_known(request)
        answer = self._get_response(request)
        if request.headers.get(SIGNAL) == "1" and request.COOKIES.get(COOKIE) != "1":
            remember(answer)
        if signalled and request.user.is_authenticated and NOTED not in request.session:
            self._bind(request)  # this very request signed them in
        return answer

    @staticmethod
    def _bind(request: HttpRequest) -> None:
        if not request.user.is_authenticated or request.session.get(NOTED):
            return
        subject = request.user.pk
        actor = Actor(kind="customer", id=subject)
        choices.record(actor=actor, subject=subject, kind=Kind.OPT_OUT, channel=Channel.SIGNAL)
        request.session[NOTED] = True

    @staticmethod
    def _is_known(request: HttpRequest) -> bool:
        if not request.user.is_authenticated:
            return False
        if NOTED not in request.session:
            request.session[NOTED] = choices.has_opted_out(request.user.pk)
        return bool(request.session[NOTED])
