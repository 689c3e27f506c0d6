"""Turning what is held into lines a person reads."""

from typing import Any

from django import template

from headshotly.rights.access_reply import flat, room_title

register = template.Library()
register.filter(room_title)


@register.filter
def lines(data: Any) -> list[tuple[str, str]]:
    """Return nested data as lines of name and value."""
    return flat(data)
