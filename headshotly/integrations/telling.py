"""What customers' endpoints hear of the studio; the front door hands this to the rooms where it happens."""

from collections.abc import Collection
from uuid import UUID

from headshotly.integrations import webhooks
from headshotly.studio import selectors as studio
from headshotly.studio.models import ShootState

_EVENTS = {ShootState.DONE: webhooks.JOB_DONE, ShootState.FAILED: webhooks.JOB_FAILED}


def shoot_ended(*, shoot_id: UUID, failed: bool, made: Collection[str]) -> None:  # noqa: ARG001 - the studio's signature
    """Queue what a shoot's owner wants to be told, in the transaction that ends it; a cancelled one tells nothing."""
    shoot = studio.shoot(shoot_id)
    event = _EVENTS.get(ShootState(shoot.state)) if shoot else None
    if shoot is not None and event is not None:
        webhooks.announce(subject=shoot.subject, event=event, about=shoot.id, at=shoot.finished_at)
