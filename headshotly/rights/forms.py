"""Reading what a form of this room holds; what is not on its lists is refused in plain words."""

from uuid import UUID

from django.http import HttpRequest

from headshotly.policy.forms import day, number, text
from headshotly.rights.errors import Incomplete, NotFound
from headshotly.rights.states import Kind, Regime

__all__ = ["day", "kind", "number", "regime", "text", "uuids"]


def kind(request: HttpRequest, *, among: frozenset[Kind]) -> Kind:
    """Return the chosen kind of request.

    Raises:
        Incomplete: it is none of those offered.
    """
    try:
        chosen = Kind(text(request, "kind"))
    except ValueError:
        chosen = None
    if chosen is None or chosen not in among:
        raise Incomplete("Please choose what you would like to ask for.")
    return chosen


def regime(request: HttpRequest) -> Regime:
    """Return the chosen law; whoever chose none gets the better of both."""
    try:
        return Regime(text(request, "regime"))
    except ValueError:
        return Regime.EITHER


def uuids(values: list[str]) -> list[UUID]:
    """Return ids.

    Raises:
        NotFound: one is none.
    """
    try:
        return [UUID(value) for value in values]
    except ValueError:
        raise NotFound("There is no such thing here.") from None
