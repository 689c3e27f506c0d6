"""The API itself: how operations are declared, and what their mistakes become."""

from http import HTTPStatus
from typing import Any, cast

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import RawPostDataException
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation
from ninja.security import HttpBearer

from headshotly.access import bearers
from headshotly.access.bearers import Bearer
from headshotly.access.warrants import token_warrant
from headshotly.audit.actor import Actor
from headshotly.frontdoor.api import problems
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.vault.warrant import Warrant

VERSION = "1.0.0"
_JSON, _FORM, _MEDIA_TYPE = "application/json", "multipart/form-data", "request.media_type"
_DESCRIPTION = (
    "Headshots for programs. A token acts for the customer who made it, as far as its scopes go. Every error is a "
    "problem (RFC 9457). Every POST takes an `Idempotency-Key`, kept for a day. Lists come in pages."
)


@enforces("2.4.a")
class CustomerToken(HttpBearer):
    """A customer's token with one scope; the gate before the view has recognised it already."""

    openapi_bearerFormat = "hsc_…"  # noqa: N815 - the name that OpenAPI has for it

    def __init__(self, scope: str = "") -> None:
        """Ask for a scope; without one, any valid token will do."""
        if scope and scope not in bearers.SCOPES:
            raise ValueError(f"there is no scope {scope}")
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Bearer:  # noqa: ARG002 - ninja's signature
        """Return the bearer where its token has the scope."""
        bearer = bearers.bearer_of(request)
        if self.scope:
            bearers.require_scope(bearer, self.scope)
        return bearer


class _Api(NinjaAPI):
    """Names operations as their functions are named, which is what a generated client calls them."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return str(operation.view_func.__name__)


api = _Api(
    title="HeadShotly",
    version=VERSION,
    description=_DESCRIPTION,
    openapi_url=None,
    docs_url=None,
    urls_namespace="api",
)


@api.exception_handler(Refusal)
def _refused(_request: HttpRequest, error: Refusal | type[Refusal]) -> HttpResponse:
    return problems.of_refusal(cast("Refusal", error))


def _where(place: tuple[int | str, ...]) -> list[str]:
    """Return where in the request something is wrong, without the name that only our own function has for its body."""
    source, *rest = (str(part) for part in place)
    if source == "body":
        return [source, *rest[1:]]
    return [source, *rest] if source in {"query", "path", "header"} else rest or [source]


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError | type[ValidationError]) -> HttpResponse:
    found = cast("ValidationError", error).errors
    if request.content_type != _FORM and any(one["loc"][0] == "file" for one in found):
        return problems.problem(415, _MEDIA_TYPE, f"This address takes {_FORM}, with the photo as its part “file”.")
    errors = [{"where": _where(one["loc"]), "what": str(one["msg"])} for one in found]
    return problems.problem(422, "request.invalid", "Parts of the request are missing or wrong.", errors=errors)


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError | type[HttpError]) -> HttpResponse:
    status = cast("HttpError", error).status_code
    if status == HTTPStatus.BAD_REQUEST:  # all that the library says so of
        if request.content_type != _JSON:
            return _form_for_json(request, error)
        return problems.problem(status, "request.not_json", "The body of the request is not JSON that can be read.")
    return problems.of_status(status)


@api.exception_handler(Http404)
def _nothing(_request: HttpRequest, _error: Http404 | type[Http404]) -> HttpResponse:
    return problems.of_status(404)


@api.exception_handler(RequestDataTooBig)
def _too_big(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problems.of_status(413)


@api.exception_handler(RawPostDataException)
def _form_for_json(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problems.problem(415, _MEDIA_TYPE, f"This address takes {_JSON}; please say so in Content-Type.")


def bearer(request: HttpRequest) -> Bearer:
    """Return the program that asks."""
    return bearers.bearer_of(request)


def actor(request: HttpRequest) -> Actor:
    """Return the program's owner as the journal knows them when a program of theirs acts."""
    return Actor(kind="customer", id=bearer(request).subject, role="token")


def warrant(request: HttpRequest, purpose: str) -> Warrant:
    """Return a warrant within the token's scopes; raises as ``token_warrant`` does."""
    return token_warrant(bearer=bearer(request), purpose=purpose)
