"""No card number gets in (clause 7.1.b): every request is looked at before anything of it is kept."""

from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from headshotly.audit import services as audit
from headshotly.audit.actor import VISITOR, Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.frontdoor.middleware import plain_answer
from headshotly.orders.card_numbers import holds_one
from headshotly.orders.errors import CardNumberRefused
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal

_SENTENCE = (
    "This looks like a card number, and we never take one. Nothing of it was kept. You pay only on Stripe's own page."
)
_TEXT_BYTES_MAX = 2 << 20
# Random tokens and signatures of our own and the payment service's; nobody types into them.
_UNTYPED = frozenset(
    {"cookie", "stripe-signature", "authorization", "csrfmiddlewaretoken", "x-csrftoken", "idempotency-key"}
)
type Handler = Callable[[HttpRequest], HttpResponseBase]


def _typed(request: HttpRequest) -> Iterator[str]:
    """Yield everything a person can put into a request: address, headers, fields, names and texts of files."""
    yield request.path_info
    for pairs in (request.GET.lists(), request.POST.lists()):
        for name, values in pairs:
            yield name
            if name.lower() not in _UNTYPED:
                yield from values
    for name, value in request.headers.items():
        if name.lower() not in _UNTYPED:
            yield value
    for files in request.FILES.lists():
        for file in files[1]:
            yield file.name or ""
            yield _text_of(file)
    if request.content_type == "application/json" and "stripe-signature" not in {
        name.lower() for name in request.headers
    }:
        try:
            yield request.body.decode(errors="replace")
        except RequestDataTooBig:
            return  # more than is ever read: the view gets none of it either, and says so in its own way


def _text_of(file: Any) -> str:
    """Return what a small text file says; a picture is encoded anew without its metadata, so of it nothing."""
    if not file.size or file.size > _TEXT_BYTES_MAX:
        return ""
    data = file.read()
    file.seek(0)
    try:
        return "" if b"\x00" in data else data.decode()
    except UnicodeDecodeError:
        return ""


def _actor(request: Any) -> Actor:
    bearer, user = getattr(request, "bearer", None), getattr(request, "user", None)
    if bearer is not None:
        return Actor(kind="customer", id=bearer.subject, role="token")
    return Actor(kind="customer", id=user.pk) if user is not None and user.is_authenticated else VISITOR


@enforces("7.1.b")
class CardNumberGuard:
    """Refuses every request that holds a card number; the journal says that, and never which."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        return self._get_response(request)

    def process_view(self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        """Refuse where a card number is; nothing has been kept of the request yet."""
        try:
            if not any(map(holds_one, _typed(request))):
                return None
        except Refusal as refusal:  # an upload that turned out to be too much
            return plain_answer(request, refusal)
        actor = _actor(request)
        audit.record(actor=actor, act=Act.CARD_NUMBER_REFUSED, purpose="orders", outcome=Outcome.REFUSED)
        # The page must not lead back to an address that holds it.
        request.path = request.path_info = "/"
        request.META["QUERY_STRING"] = ""
        return plain_answer(request, CardNumberRefused(_SENTENCE))
