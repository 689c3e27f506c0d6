"""Reading what a form of this room holds; what is not on its lists is refused in plain words."""

import datetime as dt
from uuid import UUID

from django.http import HttpRequest

from headshotly.rights.errors import Incomplete, NotFound
from headshotly.rights.states import Kind, Regime


def text(request: HttpRequest, name: str) -> str:
    """Return a field's text, without white space around it."""
    return request.POST.get(name, "").strip()


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


def day(request: HttpRequest, name: str) -> dt.date:
    """Return a date.

    Raises:
        Incomplete: it is none.
    """
    try:
        return dt.date.fromisoformat(text(request, name))
    except ValueError:
        raise Incomplete("Please give dates as 2026-12-31.") from None


def number(request: HttpRequest, name: str) -> int:
    """Return a whole number; an empty field is zero.

    Raises:
        Incomplete: it is none.
    """
    typed = text(request, name) or "0"
    if not (typed.isascii() and typed.isdecimal()):
        raise Incomplete("Please give a whole number.")
    return int(typed[:6])


def uuids(values: list[str]) -> list[UUID]:
    """Return ids.

    Raises:
        NotFound: one is none.
    """
    try:
        return [UUID(value) for value in values]
    except ValueError:
        raise NotFound("There is no such thing here.") from None
