"""What may follow what in a shoot. Anything not listed is refused."""

from headshotly.studio.models import ShootState

NEXT: dict[ShootState, frozenset[ShootState]] = {
    ShootState.QUEUED: frozenset({ShootState.RUNNING, ShootState.CANCELLED, ShootState.FAILED}),
    ShootState.RUNNING: frozenset({ShootState.DONE, ShootState.FAILED, ShootState.CANCELLED}),
    ShootState.DONE: frozenset({ShootState.QUEUED}),  # one style is made again, or added
    ShootState.FAILED: frozenset(),
    ShootState.CANCELLED: frozenset(),
}
OPEN = frozenset({ShootState.QUEUED, ShootState.RUNNING})


def before(state: ShootState) -> list[ShootState]:
    """Return the states from which a shoot may come into the given one."""
    return [earlier for earlier, following in NEXT.items() if state in following]
