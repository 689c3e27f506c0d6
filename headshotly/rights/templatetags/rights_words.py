"""Turning what is held into lines a person reads."""

from typing import Any

from django import template
from django.utils.translation import gettext as _

from headshotly.rights.access_reply import flat

register = template.Library()
_ROOMS = {
    "rights": "Requests and choices",
    "studio": "Photos and headshots",
    "accounts": "Account",
    "vault": "Sealed objects",
    "purposes": "Consents",
}


@register.filter
def room_title(room: str) -> str:
    """Return what a person calls a part of the service."""
    return _(_ROOMS.get(room, room.capitalize()))


@register.filter
def lines(data: Any) -> list[tuple[str, str]]:
    """Return nested data as lines of name and value."""
    return flat(data)
