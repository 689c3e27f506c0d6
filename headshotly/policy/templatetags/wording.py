"""Dates and moments for templates, and words that are known only while the page is made."""

import datetime as dt

from django import template

from headshotly.policy import wording

register = template.Library()


@register.filter
def day(value: dt.date | dt.datetime | None) -> str:
    """Return a date in words; nothing for none."""
    return wording.day(value) if value else ""


@register.filter
def moment(value: dt.datetime | None) -> str:
    """Return a moment in words; nothing for none."""
    return wording.moment(value) if value else ""


@register.filter
def said(value: object) -> str:
    """Return words of ours, such as a title, in the language in force; nothing for nothing."""
    return wording.told(str(value)) if value else ""
