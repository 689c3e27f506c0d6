"""Lengths of time in words."""

import datetime as dt

_DAY, _HOUR, _MINUTE = 86400, 3600, 60


def span(length: dt.timedelta) -> str:
    """Return a length of time in the two largest units that matter, never less than a minute."""
    seconds = int(abs(length.total_seconds()))
    days, hours, minutes = seconds // _DAY, seconds % _DAY // _HOUR, seconds % _HOUR // _MINUTE
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{max(minutes, 1)} min"
