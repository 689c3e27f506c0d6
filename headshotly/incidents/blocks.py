"""Network addresses that are refused for a while: by rule or by hand, over by time or by hand, always journalled."""

import datetime as dt
import threading
from uuid import UUID

from django.db import Error as DatabaseFailure
from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.incidents import pseudonyms
from headshotly.incidents.errors import NotFound
from headshotly.incidents.models import Block
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

FOR = dt.timedelta(minutes=15)
_LOOK_EVERY = 2.0  # seconds for which a process trusts what it read
_lock = threading.Lock()
_seen: dict[str, object] = {"until": 0.0, "blocked": frozenset()}


def forget() -> None:
    """Look at the database again on the next request of this process."""
    _seen["until"] = 0.0


@enforces("2.3.b")
def begin(
    *, actor: Actor, address: str, reason: str, alert: UUID | None = None, length: dt.timedelta = FOR
) -> Block | None:
    """Refuse an address from now on, for a while.

    Args:
        actor: who, or the house itself.
        address: pseudonym of the address.
        reason: plain words.
        alert: that led to it.
        length: how long.

    Returns:
        The block; None where the address is unknown, or one within that others come through: that would shut out many.
    """
    if not address.startswith("ip-") or address == pseudonyms.UNKNOWN:
        return None
    now = clock.now()
    with transaction.atomic():
        block = Block.objects.create(
            address=address, reason=reason[:200], begins_at=now, ends_at=now + length, alert=alert
        )
        audit.record(actor=actor, act=Act.ADDRESS_BLOCKED, purpose=f"{address}: {reason}"[:200])
    forget()
    return block


def lift(*, actor: Actor, block_id: int) -> None:
    """End a block before its time; one that is over stays as it ended.

    Raises:
        NotFound: there is no such block.
    """
    with transaction.atomic():
        block = Block.objects.select_for_update().filter(id=block_id).first()
        if block is None:
            raise NotFound("There is no such block.")
        if block.lifted_at is None and block.ends_at > clock.now():
            block.lifted_at = clock.now()
            block.save(update_fields=["lifted_at"])
            audit.record(actor=actor, act=Act.ADDRESS_UNBLOCKED, purpose=block.address)
    forget()


def in_force() -> list[Block]:
    """Return the blocks in force, the newest first."""
    return list(Block.objects.filter(lifted_at__isnull=True, ends_at__gt=clock.now()).order_by("-begins_at"))


def is_blocked(client: str) -> bool:
    """Say whether a network address is blocked; a database that does not answer blocks nobody.

    One look at the database serves a process for two seconds, so that refusing costs less than attacking.
    """
    now = clock.monotonic()
    with _lock:
        if now >= float(str(_seen["until"])):
            try:
                _seen["blocked"] = frozenset(block.address for block in in_force())
            except DatabaseFailure:
                _seen["blocked"] = frozenset[str]()
            _seen["until"] = now + _LOOK_EVERY
        blocked = _seen["blocked"]
    return bool(blocked) and isinstance(blocked, frozenset) and pseudonyms.of_address(client) in blocked


def forget_old(*, before: dt.datetime) -> int:
    """Remove blocks that ended before a moment."""
    return Block.objects.filter(ends_at__lt=before).delete()[0]
