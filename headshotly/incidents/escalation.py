"""Whom to wake, through which channel, after how long: the steps of an unacknowledged case (clause 8.1).

A step is reached when its minutes have passed since the case was opened (or made worse) and nobody has taken it.
"""

import datetime as dt
from dataclasses import dataclass

from django.db.models import TextChoices

from headshotly.incidents.phases import Severity
from headshotly.policy.enforcement import enforces


class Duty(TextChoices):
    """A role in an incident that somebody must be on call for."""

    FIRST = "first", "First on call"
    SECOND = "second", "Second on call"
    OFFICER = "officer", "Data protection on call"
    SPOKESPERSON = "spokesperson", "Communication on call"


class Channel(TextChoices):
    """How somebody is reached."""

    MAIL = "mail", "Mail"
    WEBHOOK = "webhook", "Chat"
    PAGER = "pager", "Pager"


class News(TextChoices):
    """What a call tells: that somebody is needed, or, to a pager that was told so, that nobody is any more."""

    NEEDED = "needed", "Somebody is needed"
    TAKEN = "taken", "Somebody took it"
    OVER = "over", "It is over"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an escalation.

    Attributes:
        number: its place, from one.
        after: how long nobody took the case.
        duties: who is reached.
        channels: how.
    """

    number: int
    after: dt.timedelta
    duties: tuple[Duty, ...]
    channels: tuple[Channel, ...]


def _steps(*rows: tuple[int, tuple[Duty, ...], tuple[Channel, ...]]) -> tuple[Step, ...]:
    return tuple(
        Step(number, dt.timedelta(minutes=minutes), duties, channels)
        for number, (minutes, duties, channels) in enumerate(rows, start=1)
    )


_EVERY = (Channel.MAIL, Channel.WEBHOOK, Channel.PAGER)
_QUIET = (Channel.MAIL, Channel.WEBHOOK)
LADDERS: dict[Severity, tuple[Step, ...]] = {
    Severity.CRITICAL: _steps(
        (0, (Duty.FIRST,), _EVERY),
        (5, (Duty.SECOND,), _EVERY),
        (10, (Duty.FIRST, Duty.SECOND, Duty.OFFICER), _EVERY),
        (15, tuple(Duty), _EVERY),
    ),
    Severity.HIGH: _steps(
        (0, (Duty.FIRST,), _EVERY), (30, (Duty.SECOND,), _EVERY), (60, (Duty.FIRST, Duty.SECOND, Duty.OFFICER), _EVERY)
    ),
    Severity.MEDIUM: _steps(
        (0, (Duty.FIRST,), _QUIET), (240, (Duty.SECOND,), _QUIET), (480, (Duty.FIRST, Duty.SECOND), _EVERY)
    ),
    Severity.LOW: _steps((0, (Duty.FIRST,), (Channel.MAIL,)), (2880, (Duty.SECOND,), (Channel.MAIL,))),
}


@enforces("8.1.a-b")
def reached(
    *, severity: Severity, since: dt.datetime, acknowledged_at: dt.datetime | None, now: dt.datetime
) -> list[Step]:
    """Return the steps that a case has reached, oldest first.

    Args:
        severity: as judged now.
        since: when the ladder began: the opening, or the moment the case was made worse.
        acknowledged_at: when somebody took it; steps after that moment are not reached.
        now: aware UTC.
    """
    until = now if acknowledged_at is None else min(now, acknowledged_at)
    return [step for step in LADDERS[severity] if since + step.after <= until]
