"""What this room does unasked."""

import datetime as dt

from headshotly.incidents import (
    calls,
    expectations,
    holder_letters,
    letters,
    overseeing,
    planting,
    reminders,
    staff_watching,
)
from headshotly.policy.duties import duty


@duty("incidents.call", every=dt.timedelta(minutes=1))
def call() -> str:
    """Call whoever is on call about cases that nobody has taken, and write to holders of grants that were stopped."""
    written = holder_letters.send_due()
    return f"{calls.escalate()} calls queued, {calls.send_due()} handed over; {written} holders of grants written to."


@duty("incidents.letters", every=dt.timedelta(minutes=1), longest=dt.timedelta(minutes=30))
def send_letters() -> str:
    """Queue and hand over the letters about breaches."""
    return f"{letters.queue_due()} letters queued, {letters.send_due()} handed over."


@duty("incidents.remind", every=dt.timedelta(hours=1))
def remind() -> str:
    """Tell the security officer and the DPO which clocks run out."""
    return f"{reminders.remind()} clocks named."


@duty("incidents.beat", every=dt.timedelta(minutes=1), longest=dt.timedelta(minutes=1))
def beat() -> str:
    """Leave a heartbeat among the events, and see that somebody reads them."""
    planting.beat()
    overseeing.alarm_idle()
    return f"A heartbeat was left; {expectations.alarm_silent()} sources are silent."


@duty("incidents.staff", every=dt.timedelta(minutes=10), longest=dt.timedelta(minutes=10))
def watch_staff() -> str:
    """Look at what staff opened."""
    return f"{staff_watching.look()} odd accesses of staff are told of."
