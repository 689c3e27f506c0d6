"""What this room does unasked."""

import datetime as dt

from headshotly.lifecycle import alerting, services
from headshotly.policy.duties import duty


@duty("lifecycle.watch-limits", every=dt.timedelta(hours=1))
def watch_limits() -> str:
    """End acceptances that ran out, and say which findings are past their limit."""
    ended = services.end_acceptances()
    return f"{ended} acceptances ran out, {alerting.alert()} findings past their limit were journalled."
