"""Clocks in words, for the pages of this room."""

import datetime as dt

from django import template
from django.utils.safestring import SafeString, mark_safe

from headshotly.incidents.spans import span
from headshotly.policy import clock

register = template.Library()


@register.filter
def in_words(length: dt.timedelta) -> str:
    """Return a length of time in words."""
    return span(length)


@register.filter
def left(at: dt.datetime | None) -> SafeString:
    """Return a badge with how long it is until a moment, or how long it is over."""
    if at is None:
        return SafeString("")
    rest = at - clock.now()
    if rest < dt.timedelta(0):
        return mark_safe(f'<span class="badge badge--late">overdue by {span(rest)}</span>')  # noqa: S308 - numbers only # nosec B308 B703
    soon = " badge--soon" if rest < dt.timedelta(days=1) else ""
    return mark_safe(f'<span class="badge{soon}">{span(rest)} left</span>')  # noqa: S308 - numbers only # nosec B308 B703
