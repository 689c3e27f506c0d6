"""Reading what a form of this room holds; what is not on its lists is refused in plain words."""

import datetime as dt
from enum import Enum
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest

from headshotly.incidents.errors import Incomplete
from headshotly.policy import configuration
from headshotly.policy.forms import day, number, text

__all__ = ["choice", "day", "ids", "moment", "moment_or_none", "number", "one_id", "text", "ticked", "zone"]


def choice[Kind: Enum](request: HttpRequest, name: str, kind: type[Kind]) -> Kind:
    """Return what was chosen from a list.

    Raises:
        Incomplete: nothing of the list was.
    """
    try:
        return kind(text(request, name))
    except ValueError:
        raise Incomplete("Please choose from the list.") from None


def ticked(request: HttpRequest, name: str) -> bool:
    """Say whether a box was ticked."""
    return text(request, name) == "yes"


def zone() -> ZoneInfo:
    """Return the operator's time zone, in which people here type and read times."""
    return ZoneInfo(configuration.current().operator.time_zone)


def moment(request: HttpRequest, name: str) -> dt.datetime:
    """Return a moment typed in the operator's time zone, as UTC.

    Raises:
        Incomplete: it is none.
    """
    found = moment_or_none(request, name)
    if found is None:
        raise Incomplete("Please give the date and time.")
    return found


def moment_or_none(request: HttpRequest, name: str) -> dt.datetime | None:
    """Return a moment typed in the operator's time zone, as UTC, or None where nothing was typed.

    Raises:
        Incomplete: it is none.
    """
    typed = text(request, name)
    if not typed:
        return None
    try:
        found = dt.datetime.fromisoformat(typed)
    except ValueError:
        raise Incomplete("Please give times as 2026-12-31T09:00.") from None
    return (found if found.tzinfo else found.replace(tzinfo=zone())).astimezone(dt.UTC)


def one_id(request: HttpRequest, name: str) -> UUID:
    """Return an id.

    Raises:
        Incomplete: it is none.
    """
    return _uuid(text(request, name))


def ids(request: HttpRequest, name: str) -> frozenset[UUID]:
    """Return ids, separated by white space or commas; none where nothing was typed.

    Raises:
        Incomplete: one is none.
    """
    return frozenset(_uuid(one) for one in text(request, name).replace(",", " ").split())


def _uuid(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError:
        raise Incomplete("Please give ids as they stand in the console.") from None
