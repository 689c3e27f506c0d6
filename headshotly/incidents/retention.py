"""How long events and alerts are kept, by class."""

import datetime as dt

from headshotly.incidents.models import Alert, Block, CorrelationHit, Episode, Event
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

SHORT = dt.timedelta(days=30)
LONG = dt.timedelta(days=366)
# What is much and tells little of one person: web access (HTTP Activity) and network flows (Network Activity).
_SHORT_CLASSES = frozenset({4001, 4002})
_REMEMBERED = dt.timedelta(days=40)
_BLOCKS = dt.timedelta(days=7)
_AT_ONCE = 5000


def keep_until(class_uid: int, received_at: dt.datetime) -> dt.datetime:
    """Return until when an event of an OCSF class is kept."""
    return received_at + (SHORT if class_uid in _SHORT_CLASSES else LONG)


@enforces("1.1.d")
def forget_events() -> int:
    """Remove what is over its time, a little at a time so that nobody waits; return how many events went."""
    now, gone = clock.now(), 0
    while True:
        ids = list(Event.objects.filter(keep_until__lte=now).values_list("id", flat=True)[:_AT_ONCE])
        if not ids:
            break
        gone += Event.objects.filter(id__in=ids).delete()[0]
    # No window is longer than a month, and nothing comes later than a week.
    CorrelationHit.objects.filter(at__lt=now - _REMEMBERED).delete()
    Episode.objects.filter(last_at__lt=now - _REMEMBERED).delete()
    Block.objects.filter(ends_at__lt=now - _BLOCKS).delete()
    return gone


def forget_alerts(*, before: dt.datetime) -> int:
    """Remove closed alerts raised before a moment; an open one is never forgotten."""
    return Alert.objects.filter(closed_at__isnull=False, raised_at__lt=before).delete()[0]
