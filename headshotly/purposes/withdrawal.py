"""What happens in rooms above when processing of a subject's data must stop; the front door fills it in."""

from collections.abc import Callable
from uuid import UUID

from headshotly.audit.actor import Actor

type Stop = Callable[[Actor, UUID, str], None]

_STOPS: list[Stop] = []


def when_stopped(stop: Stop) -> None:
    """Have something called whenever a consent is withdrawn or processing restricted, in the same transaction.

    Args:
        stop: takes who stopped it, the data subject and the activity's id; ends waiting and running work.
    """
    if stop not in _STOPS:
        _STOPS.append(stop)


def stop_work(*, actor: Actor, subject: UUID, activity: str) -> None:
    """End the work of an activity for a data subject."""
    for stop in _STOPS:
        stop(actor, subject, activity)
