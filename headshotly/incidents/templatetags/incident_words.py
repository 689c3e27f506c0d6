"""Clocks in words, for the pages of this room."""

import datetime as dt

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

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
        return format_html('<span class="badge badge--late">overdue by {}</span>', span(rest))
    soon = " badge--soon" if rest < dt.timedelta(days=1) else ""
    return format_html('<span class="badge{}">{} left</span>', soon, span(rest))
