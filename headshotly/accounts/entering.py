"""How a request becomes signed in: half after the password, wholly after the second factor; and what it remembers."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop as noop

from headshotly.accounts import notices, selectors, services
from headshotly.accounts.devices import describe
from headshotly.accounts.knowing import BACKEND
from headshotly.accounts.models import Customer
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.policy.way_back import way_back
from headshotly.policy.wording import language
from headshotly.vault import services as vault
from headshotly.vault.warrant import Warrant

HALF_VALID = dt.timedelta(minutes=5)
PROOF_VALID = dt.timedelta(minutes=10)
OLDEST_SESSION = dt.timedelta(days=30)
SEEN_NOTED_EVERY = dt.timedelta(hours=1)
HOME = "/studio/"
KNOWN_COOKIE = "__Host-known"
_KNOWN_SECONDS = 365 * 24 * 3600
_HALF, _PROVED = "half_signed_in", "proved_at"


def next_page(request: HttpRequest) -> str:
    """Return where a request wants to go afterwards; only an address of this site."""
    return way_back(request, otherwise=HOME)


def client(request: HttpRequest) -> str:
    """Return the network address a request came from."""
    return str(request.META.get("REMOTE_ADDR", ""))


def service_warrant(request: HttpRequest, customer: Customer, purpose: str) -> Warrant:
    """Return a warrant for the house itself to check a second factor or to write to a customer."""
    return cast("Warrant", cast("Any", request).service_warrant(customer.id, purpose))


@enforces("10.2")
def half_sign_in(request: HttpRequest, customer: Customer, *, then: str, breached: bool = False) -> None:
    """Remember that the password was right. The session is a new one; nothing of an older one survives.

    Args:
        request: theirs.
        customer: who.
        then: where they want to go.
        breached: the password is known from a breach; said once they are in.
    """
    request.session.flush()
    request.session[_HALF] = {
        "subject": customer.id.hex,
        "until": (clock.now() + HALF_VALID).isoformat(),
        "password": customer.get_session_auth_hash(),
        "then": then,
        "breached": breached,
    }


@dataclass(frozen=True, slots=True)
class Half:
    """Somebody who gave the right password and nothing more yet; see ``half_sign_in``."""

    customer: Customer
    then: str
    breached: bool


def half_signed_in(request: HttpRequest) -> Half | None:
    """Return who gave the right password a few minutes ago; None where nobody did."""
    half = request.session.get(_HALF)
    if not half or clock.now() >= dt.datetime.fromisoformat(half["until"]):
        return None
    customer = selectors.customer(UUID(hex=half["subject"]))
    if customer is None or not customer.is_active or half["password"] != customer.get_session_auth_hash():
        return None
    return Half(customer, half["then"], bool(half.get("breached")))


def sign_in(request: HttpRequest, customer: Customer, *, how: str) -> None:
    """Begin a session of its own for a customer who showed everything, and tell them where it was from somewhere new.

    Args:
        request: theirs.
        customer: who.
        how: what was shown last; see ``services.record_sign_in``.
    """
    request.session.pop(_HALF, None)
    login(request, customer, backend=BACKEND)  # a new session key: nothing fixed beforehand survives
    moment = clock.now().isoformat()
    request.session["device"] = describe(request.headers.get("User-Agent", ""))
    request.session["started_at"] = moment
    request.session[_PROVED] = moment
    services.record_sign_in(customer=customer, how=how)
    services.speak(subject=customer.id, language=language())
    if not knows_browser(request, customer):
        notices.tell(
            customer,
            subject=noop("Your account was opened on a new device"),
            what=noop("Somebody signed in to your account with %(device)s."),
            facts={"device": request.session["device"]},
            warrant=service_warrant(request, customer, "security-notice"),
        )


def _known_value(customer: Customer) -> str:
    return vault.blind_index(field="accounts.known", value=f"{customer.id}|{customer.password}").hex()


def knows_browser(request: HttpRequest, customer: Customer) -> bool:
    """Say whether this browser signed in to this account before, since the password was last changed."""
    return request.get_signed_cookie(KNOWN_COOKIE, default="", salt=KNOWN_COOKIE) == _known_value(customer)


def has_known_cookie(request: HttpRequest) -> bool:
    """Say whether this browser signed in to some account before."""
    return bool(request.get_signed_cookie(KNOWN_COOKIE, default="", salt=KNOWN_COOKIE))


def remember_browser(answer: HttpResponse, customer: Customer) -> HttpResponse:
    """Let the browser be recognised next time; the cookie names nobody."""
    answer.set_signed_cookie(
        KNOWN_COOKIE,
        _known_value(customer),
        salt=KNOWN_COOKIE,
        max_age=_KNOWN_SECONDS,
        secure=True,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return answer


def keeps_alive(request: HttpRequest) -> bool:
    """Say whether a signed-in session may go on; end it where it is too old.

    Each hour of use pushes its end to ``SESSION_COOKIE_AGE`` from then (idle limit); nothing pushes the oldest age.
    """
    moment = clock.now()
    started = dt.datetime.fromisoformat(request.session.setdefault("started_at", moment.isoformat()))
    if moment - started >= OLDEST_SESSION:
        request.session.flush()
        return False
    seen = dt.datetime.fromisoformat(request.session.get("seen_at", request.session["started_at"]))
    if moment - seen >= SEEN_NOTED_EVERY:
        request.session["seen_at"] = moment.isoformat()
    return True


def prove(request: HttpRequest) -> None:
    """Remember that the customer has just shown again who they are, in a session with a new key."""
    request.session.cycle_key()
    request.session[_PROVED] = clock.now().isoformat()


def proved(request: HttpRequest) -> bool:
    """Say whether they did so a few minutes ago."""
    moment = request.session.get(_PROVED)
    return moment is not None and clock.now() - dt.datetime.fromisoformat(moment) < PROOF_VALID
