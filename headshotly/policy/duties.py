"""What must be done again and again without anybody asking: each room declares its own duties in ``duties.py``."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from headshotly.policy.permission import permission

_DECLARED: dict[str, "Duty"] = {}


@dataclass(frozen=True, slots=True)
class Duty:
    """Something done regularly.

    Attributes:
        name: ``room.verb``, unique.
        every: from one beginning to the next.
        longest: how long a run may take; a run that died is taken over only after that.
        slow: it may take minutes or hours, so that it is done beside the others and not in turn with them.
        run: does it and returns one plain sentence of what it did; safe to run again after dying anywhere.
    """

    name: str
    every: dt.timedelta
    longest: dt.timedelta
    run: Callable[[], str]
    slow: bool = False


def duty[F: Callable[[], str]](
    name: str, *, every: dt.timedelta, longest: dt.timedelta = dt.timedelta(minutes=15), slow: bool = False
) -> Callable[[F], F]:
    """Declare the decorated function a duty; it is done once in ``every``, whatever number of machines there are.

    Args:
        name: ``room.verb``, such as ``vault.sweep``.
        every: from one beginning to the next; more than nothing.
        longest: after which a run counts as dead.
        slow: done by a process of its own, so that nothing quick waits for it.

    Raises:
        ValueError: the name is taken, or a time is not more than nothing.
    """
    if min(every, longest) <= dt.timedelta(0):
        raise ValueError("a duty needs times of more than nothing")

    def mark(run: F) -> F:
        if name in _DECLARED:
            raise ValueError(f"there is a duty {name} already")
        _DECLARED[name] = Duty(name, every, longest, permission("service:duties")(run), slow)
        return run

    return mark


def declared() -> tuple[Duty, ...]:
    """Return every duty of the rooms that are loaded, by name."""
    return tuple(_DECLARED[name] for name in sorted(_DECLARED))
