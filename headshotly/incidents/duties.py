"""What this room does unasked."""

import datetime as dt

from headshotly.incidents import expectations, overseeing, planting
from headshotly.policy.duties import duty


@duty("incidents.beat", every=dt.timedelta(minutes=1), longest=dt.timedelta(minutes=1))
def beat() -> str:
    """Leave a heartbeat among the events, and see that somebody reads them."""
    planting.beat()
    overseeing.alarm_idle()
    return f"A heartbeat was left; {expectations.alarm_silent()} sources are silent."
