"""Reading what every room's forms hold; what cannot be read is refused in plain words."""

import datetime as dt

from django.http import HttpRequest

from headshotly.policy.refusal import Refusal

_DIGITS_MAX = 9


class Unreadable(Refusal):
    """A field holds what cannot be read as what it asks for."""

    code = "form.unreadable"
    status = 422


def text(request: HttpRequest, name: str) -> str:
    """Return a field's text, without white space around it."""
    return request.POST.get(name, "").strip()


def day(request: HttpRequest, name: str) -> dt.date:
    """Return a date.

    Raises:
        Unreadable: it is none.
    """
    try:
        return dt.date.fromisoformat(text(request, name))
    except ValueError:
        raise Unreadable("Please give dates as 2026-12-31.") from None


def number(request: HttpRequest, name: str, *, empty: int | None = None) -> int:
    """Return a whole number of at most nine digits.

    Args:
        request: with the form.
        name: of the field.
        empty: what an empty field stands for; None where it must not be empty.

    Raises:
        Unreadable: it is none.
    """
    typed = text(request, name)
    if not typed and empty is not None:
        return empty
    if not (typed.isascii() and typed.isdecimal()) or len(typed) > _DIGITS_MAX:
        raise Unreadable("Please give a whole number.")
    return int(typed)
