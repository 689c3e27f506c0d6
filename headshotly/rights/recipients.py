"""Whom a correction, deletion or restriction must be told to (GDPR Art. 19), from the declarations."""

from headshotly.purposes.declarations import activities
from headshotly.rights.states import Kind

_TOLD_OF = frozenset({Kind.CORRECT, Kind.DELETE, Kind.RESTRICT})


def recipients_to_tell(kind: Kind) -> list[str]:
    """Return every declared recipient of customers' data, where this kind of request must be passed on."""
    if kind not in _TOLD_OF:
        return []
    return sorted({one for activity in activities() for one in activity.recipients if set(activity.people) - {"staff"}})
