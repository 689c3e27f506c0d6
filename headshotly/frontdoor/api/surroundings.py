"""What surrounds the API: tokens only and no cookies, an allowance, and problem details for every error."""

from collections.abc import Callable
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from headshotly.access import bearers
from headshotly.frontdoor.api import problems
from headshotly.integrations import allowance
from headshotly.integrations.errors import AllowanceSpent
from headshotly.policy.configuration import MIB
from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission_of
from headshotly.policy.refusal import Refusal

JSON_BYTES_MAX = 1 * MIB
_ERRORS_FROM = 400
type Handler = Callable[[HttpRequest], HttpResponseBase]


class JsonTooLarge(Refusal):
    """More JSON than any request of the API needs."""

    code = "request.too_large"
    status = 413


@enforces("2.4.a")
class TokensOnly:
    """Stands outside the sessions: a browser's cookie means nothing to the API, so no other site can use it.

    A request is known by its token and counted before anything of its body is read.
    """

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        if not request.path_info.startswith(problems.PREFIX):
            return self._get_response(request)
        request.META["HTTP_COOKIE"] = ""
        answer = self._too_large(request) or self._get_response(request)
        media_type = answer.headers.get("Content-Type", "").partition(";")[0]
        if answer.status_code >= _ERRORS_FROM and media_type != problems.MEDIA_TYPE:
            answer = _as_problem(answer)
        answer.cookies.clear()
        left = getattr(request, "allowance_left", None)
        if left is not None:
            for name, value in left.headers().items():
                answer.headers[name] = value
        answer.headers.setdefault("Cache-Control", "private, no-store")
        return answer

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        """Find out whose program asks, and count the request."""
        if permission_of(view) != "token":
            return None
        try:
            bearer = bearers.bearer_of(request)
        except Refusal as refusal:
            return problems.of_refusal(refusal)
        left = allowance.spend(bearer.subject)
        cast("Any", request).allowance_left = left
        if left.left >= 0:
            return None
        answer = problems.of_refusal(
            AllowanceSpent(f"Your programs may ask {left.most} times a minute. Please wait a little.")
        )
        answer["Retry-After"] = str(left.seconds)
        return answer

    @staticmethod
    def _too_large(request: HttpRequest) -> HttpResponse | None:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if request.content_type == "application/json" and announced.isdecimal() and int(announced) > JSON_BYTES_MAX:
            return problems.of_refusal(JsonTooLarge("Please send at most 1 MB of JSON."))
        return None


def _as_problem(answer: HttpResponseBase) -> HttpResponse:
    """Return the problem in place of an error that somebody else answered with, keeping what its headers say."""
    made = problems.of_status(answer.status_code)
    for name in ("Allow", "Retry-After", "Connection", "WWW-Authenticate"):
        if name in answer.headers:
            made[name] = answer.headers[name]
    return made
