"""Who watches the watchman: the duties look whether the detector still works, and how far it lags behind."""

import datetime as dt

from headshotly.audit import sequencing
from headshotly.incidents import alerts
from headshotly.incidents.alerts import Finding
from headshotly.incidents.models import AlertKind, Level, Offset
from headshotly.incidents.reading import position
from headshotly.incidents.stream import DETECTOR
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

IDLE = dt.timedelta(minutes=2)


def last_worked() -> dt.datetime | None:
    """Return when the detector gave a sign of life last, or None where it never did."""
    return Offset.objects.filter(reader=DETECTOR).values_list("moved_at", flat=True).first()


def behind() -> int:
    """Return how many journal entries the detector has not read yet."""
    return max(0, sequencing.size() - position("journal"))


@enforces("8.2.a")
def alarm_idle() -> bool:
    """Raise an alert where the detector gave no sign of life for too long; once for each time it stops."""
    worked, now = last_worked(), clock.now()
    if worked is None or now - worked <= IDLE:
        return False
    alerts.raise_alert(
        Finding(
            kind=AlertKind.STREAM,
            level=Level.CRITICAL,
            rule="detector-idle",
            title="Nobody reads the events",
            sentence=f"The detector gave no sign of life since {worked:%Y-%m-%d %H:%M} UTC; start it again.",
            began=worked.isoformat(),
            first_event_at=worked,
            last_event_at=now,
        )
    )
    return True
