"""How often a customer's programs may ask: so many requests in a window, counted in the database for every process.

The headers that say so follow the IETF's draft “RateLimit header fields for HTTP”.
"""

import datetime as dt
import math
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from headshotly.integrations.models import Allowance
from headshotly.policy import clock, configuration

WINDOW = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of an allowance after a request.

    Attributes:
        most: requests in a window.
        left: how many more there may be in this one; negative where this one was too many.
        seconds: until the window ends, rounded up, at least 1.
    """

    most: int
    left: int
    seconds: int

    def headers(self) -> dict[str, str]:
        """Return the headers that tell it."""
        return {
            "RateLimit-Policy": f'"requests";q={self.most};w={int(WINDOW.total_seconds())}',
            "RateLimit": f'"requests";r={max(0, self.left)};t={self.seconds}',
        }


def most() -> int:
    """Return how many requests a minute a customer's programs may make (option ``api.per_minute``)."""
    return int(configuration.current().options.get("api.per_minute", "300"))


def spend(subject: UUID) -> Left:
    """Count one request of a customer's programs and return what is left; the caller refuses where that is negative."""
    now = clock.now()
    mine = Allowance.objects.filter(subject=subject)
    with transaction.atomic():
        if not mine.filter(began_at__gt=now - WINDOW).update(used=F("used") + 1) and not mine.update(
            used=1, began_at=now
        ):
            _first(subject, now)
        row = mine.get()
    ends = row.began_at + WINDOW
    return Left(most(), most() - row.used, max(1, math.ceil((ends - now).total_seconds())))


def _first(subject: UUID, now: dt.datetime) -> None:
    try:
        with transaction.atomic():
            Allowance.objects.create(subject=subject, began_at=now, used=1)
    except IntegrityError:  # another process was first
        Allowance.objects.filter(subject=subject).update(used=F("used") + 1)


def forget_old() -> int:
    """Remove counts whose window is long over; return how many."""
    return Allowance.objects.filter(began_at__lt=clock.now() - dt.timedelta(days=1)).delete()[0]
