"""Dates and moments in words, in the language in force and the operator's time zone."""

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import dateformat
from django.utils.translation import get_language, gettext, override

from headshotly.policy import dates

LANGUAGES = ("en", "pl")
_NUMBER = re.compile(r"\d+")
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z])")
_DAY, _MOMENT = "j E Y", "j E Y, H:i"  # E is the month as a date wants it: listopada, not listopad


def language() -> str:
    """Return the language in force, one of ``LANGUAGES``."""
    here = (get_language() or "")[:2]
    return here if here in LANGUAGES else LANGUAGES[0]


@contextmanager
def speaking(wanted: str) -> Iterator[None]:
    """Write in a language for the length of the block; in English where the wanted one is none of ours."""
    with override(wanted if wanted in LANGUAGES else LANGUAGES[0]):
        yield


def day(value: dt.date | dt.datetime) -> str:
    """Return such as ``27 November 2026`` or ``27 listopada 2026``; of a moment, the operator's day."""
    return dateformat.format(dates.local(value) if isinstance(value, dt.datetime) else value, _DAY)


def moment(value: dt.datetime) -> str:
    """Return such as ``27 November 2026, 16:40 CET``.

    Args:
        value: aware.
    """
    local = dates.local(value)
    return f"{dateformat.format(local, _MOMENT)} {local.tzname()}"


def told(words: str) -> str:
    """Return finished words of ours, such as a stored verdict, in the language in force; unknown ones as they are.

    The catalogue holds numbers as ``#``, so that “at least 12 characters” needs no entry for every number. What was
    put together, sentence after sentence or “step: detail”, is taken apart and said piece by piece.

    Args:
        words: English, as the code has them.
    """
    if not words or language() == LANGUAGES[0]:
        return words
    found = _whole(words)
    if found is not None:
        return found
    for parts, glue in ((_SENTENCE_END.split(words), " "), (words.split(": "), ": "), (words.split(" · "), " · ")):
        if len(parts) > 1:
            return glue.join(told(part) for part in parts)
    return words


def _whole(words: str) -> str | None:
    said = gettext(words)
    if said != words:
        return said
    numbers, pattern = _NUMBER.findall(words), _NUMBER.sub("#", words)
    said = gettext(pattern)
    if said == pattern:
        return None
    left = iter(numbers)
    return re.sub("#", lambda _: next(left, "#"), said)
