"""What a check can say. Knows no database and no check."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How one look ended."""

    HELD = "held"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    ATTESTED = "attested"
    ERROR = "error"


class Assurance(StrEnum):
    """How a thing is known; the trust page shows it beside each sentence."""

    ENFORCED = "enforced"  # the check tried to break it and was refused
    MEASURED = "measured"  # the check looked at the state of things
    VENDOR = "vendor"  # a vendor's audit report says so
    HUMAN = "human"  # a person recorded it


class Environment(StrEnum):
    """Where it was seen. What was seen emulated never counts as production's."""

    PRODUCTION = "production"
    STAGING = "staging"
    EMULATED = "emulated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one look found. Made by the functions below, which refuse what makes no sense.

    Attributes:
        outcome: how it ended.
        sentence: one plain sentence, safe to publish: it names things by id, never a person.
        population: how many things were looked at.
        broken: exact ids of what is broken; an exception must name each of them.
        emulated: it was seen on a stand-in, wherever this installation runs.
        observed_from: since when the finding speaks; the moment of looking where None.
        expires_at: when it stops counting, whatever the clause's cadence.
    """

    outcome: Outcome
    sentence: str
    population: int = 0
    broken: tuple[str, ...] = field(default=())
    emulated: bool = False
    observed_from: dt.datetime | None = None
    expires_at: dt.datetime | None = None


def held(
    sentence: str,
    *,
    population: int,
    emulated: bool = False,
    observed_from: dt.datetime | None = None,
    expires_at: dt.datetime | None = None,
) -> Finding:
    """Return that everything looked at is as promised; nothing looked at proves nothing and comes out as unknown."""
    return Finding(
        outcome=Outcome.HELD if population > 0 else Outcome.UNKNOWN,
        sentence=sentence,
        population=population,
        emulated=emulated,
        observed_from=observed_from,
        expires_at=expires_at,
    )


def broken(sentence: str, *, ids: Iterable[object], population: int = 0, emulated: bool = False) -> Finding:
    """Return that the promise is broken.

    Args:
        sentence: names what is broken.
        ids: exact ids of it, at least one.
        population: how many things were looked at.
        emulated: seen on a stand-in.

    Raises:
        ValueError: no id was given; a failure nobody can name is an error of the check.
    """
    named = tuple(sorted({str(one) for one in ids}))
    if not named:
        raise ValueError("a broken promise names what is broken")
    return Finding(
        outcome=Outcome.BROKEN,
        sentence=sentence,
        population=max(population, len(named)),
        broken=named,
        emulated=emulated,
    )


def unknown(sentence: str, *, emulated: bool = False) -> Finding:
    """Return that nothing can be said, and why."""
    return Finding(outcome=Outcome.UNKNOWN, sentence=sentence, emulated=emulated)


def attested(sentence: str, *, expires_at: dt.datetime, observed_from: dt.datetime) -> Finding:
    """Return that somebody vouches for it until a day; it is never shown as proof.

    Args:
        sentence: who vouches, and by what.
        expires_at: from then on it does not count.
        observed_from: since when it counts.
    """
    return Finding(
        outcome=Outcome.ATTESTED, sentence=sentence, population=1, expires_at=expires_at, observed_from=observed_from
    )


def shorten(ids: Iterable[object], *, most: int = 5) -> str:
    """Return ids as words: a few by name, the rest by number."""
    named = sorted({str(one) for one in ids})
    shown, left = named[:most], len(named) - most
    return ", ".join(shown) + (f" and {left} more" if left > 0 else "")
