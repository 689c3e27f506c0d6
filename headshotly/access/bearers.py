"""Customers' own programs: the token one shows, whose it is, and the closed list of what a token may be allowed.

The rows lie in a room above, which says here how it recognises a token.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.utils.translation import gettext_noop as noop

from headshotly.access.errors import ScopeMissing, TokenRefused
from headshotly.policy.enforcement import enforces

SCOPES: dict[str, str] = {
    "photos.read": noop("See the photos you uploaded"),
    "photos.write": noop("Upload and delete photos"),
    "jobs.read": noop("See how far jobs are"),
    "jobs.write": noop("Start and stop jobs, which uses up headshots you paid for"),
    "results.read": noop("See and download headshots"),
    "results.write": noop("Delete headshots"),
    "team.read": noop("See the seats of your team"),
    "team.write": noop("Make links for free seats of your team, and take seats back"),
    "webhooks.read": noop("See your endpoints and what was delivered"),
    "webhooks.write": noop("Register and remove endpoints"),
    "export": noop("Ask for a copy of everything and download it"),
    "account.delete": noop("Delete everything and close your account"),
}


@dataclass(frozen=True, slots=True)
class Bearer:
    """A program that showed a valid token.

    Attributes:
        token_id: which token.
        subject: pseudonym of the customer it acts for.
        scopes: what it may do, of ``SCOPES``.
        expires_at: when the token ends.
    """

    token_id: UUID
    subject: UUID
    scopes: frozenset[str]
    expires_at: dt.datetime


type Recognise = Callable[[str], Bearer | None]
_recognise: list[Recognise] = []


def recognise_with(recognise: Recognise) -> None:
    """Have a room above recognise tokens; without one, every token is refused.

    Args:
        recognise: takes a token, returns who shows it, or None.
    """
    _recognise[:] = [recognise]


@enforces("2.4.a")
def bearer_of(request: Any) -> Bearer:
    """Return the program that a request comes from; looked up once a request.

    Raises:
        TokenRefused: it carries no token, or one that is unknown, expired or revoked, or whose owner may not come in.
    """
    known = getattr(request, "bearer", None)
    if known is None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        found = _recognise[0](token) if scheme.lower() == "bearer" and _recognise else None
        if found is None:
            raise TokenRefused("This needs a valid token in the header “Authorization: Bearer …”.")
        request.bearer = known = found
    return cast("Bearer", known)


def require_scope(bearer: Bearer, scope: str) -> None:
    """Pass only where a token was given a scope.

    Raises:
        ScopeMissing: it was not.
    """
    if scope not in bearer.scopes:
        raise ScopeMissing(f"This token may not do this: it lacks the scope “{scope}”.", scope=scope)
