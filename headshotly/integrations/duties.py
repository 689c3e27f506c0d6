"""What this room does unasked."""

import datetime as dt

from headshotly.integrations import delivering, troubles
from headshotly.policy.duties import duty


@duty("integrations.deliver", every=dt.timedelta(seconds=10), longest=dt.timedelta(minutes=30))
def deliver() -> str:
    """Send what customers' endpoints are to be told; where ``headshotly sender`` does it, the duties leave it out."""
    return f"{delivering.send_due()} messages delivered."


@duty("integrations.tell", every=dt.timedelta(seconds=30))
def tell() -> str:
    """Write to the owners of endpoints that take nothing."""
    return f"{troubles.tell_due()} owners told of an endpoint's trouble."
