"""Time that does not run backwards: whoever moves the clock back gets no expired grant to life again."""

import datetime as dt

from django.db import transaction

from headshotly.access.errors import ClockMovedBack
from headshotly.access.models import ClockMark
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

TOLERANCE = dt.timedelta(seconds=5)  # how far the clocks of two servers may lie apart


@enforces("2.4.c")
def now() -> dt.datetime:
    """Return the present moment, and remember it as the latest ever seen.

    Raises:
        ClockMovedBack: the clock stands before a moment already seen; nothing time-boxed is granted until it is right.
    """
    moment = clock.now()
    with transaction.atomic():
        mark, _ = ClockMark.objects.select_for_update().get_or_create(id=1, defaults={"latest": moment})
        if moment < mark.latest - TOLERANCE:
            raise ClockMovedBack("The server's clock was moved back. No access is granted until it is right.")
        if moment > mark.latest:
            ClockMark.objects.filter(id=1).update(latest=moment)
    return max(moment, mark.latest)
