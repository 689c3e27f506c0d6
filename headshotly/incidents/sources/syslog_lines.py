"""Lines of the syslog receiver: a message and when it was received, kept before the sender goes on."""

import base64
import datetime as dt
from typing import Any

from headshotly.incidents.errors import EventRefused
from headshotly.incidents.observation import Observation
from headshotly.incidents.sources import syslog


def line(message: bytes, *, uid: str, received_at: dt.datetime) -> dict[str, Any]:
    """Return the line that keeps a message."""
    return {"id": uid, "at": received_at.isoformat(), "message": base64.b64encode(message).decode()}


def observe(kept: dict[str, Any], _raw: bytes) -> Observation:
    """Return the event of a kept message.

    Raises:
        EventRefused: the line or its message is none.
    """
    try:
        message = base64.b64decode(kept["message"], validate=True)
        uid, received_at = str(kept["id"]), dt.datetime.fromisoformat(kept["at"])
    except (KeyError, TypeError, ValueError) as error:
        raise EventRefused("A line of the syslog receiver is not as it is written.") from error
    return syslog.observe(message, uid=uid, received_at=received_at)
