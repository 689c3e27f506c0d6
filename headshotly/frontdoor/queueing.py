"""Tasks with their row in the database and, where a broker is chosen, an order that tells workers of it.

The row is written in the transaction that asks for the work; the order follows its commit. Whatever becomes of the
order, the row decides: only who claims it while it is READY runs it, and a READY row whose order did not arrive is
announced again. So a sent order without a row, a row without an order, and an order that comes twice, late or out of
order are all harmless. See ``docs/adr/0145-orders-through-a-broker.md``.
"""

import datetime as dt
import logging
from functools import partial
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseFailure
from django.db import transaction
from django.tasks import TaskResultStatus
from django_tasks_db import DatabaseBackend
from django_tasks_db.models import DBTaskResult
from django_tasks_db.utils import exclusive_transaction

from headshotly.frontdoor import broker
from headshotly.frontdoor.broker import BrokerGone, Delivery
from headshotly.frontdoor.models import Announcement
from headshotly.policy import clock

AGAIN = dt.timedelta(seconds=20)  # as long as a lease: a worker may die with an order in its hand
AGAIN_MAX = dt.timedelta(hours=1)
SWEPT_AT_ONCE = 200
QUIET_SECONDS = 15.0  # after a broker did not answer, a request does not wait for it again
_BACKEND = "default"
_logger = logging.getLogger(__name__)
_quiet = {"until": 0.0}


class Backend(DatabaseBackend):
    """The database's queue; what is written there is announced to the broker once it is committed."""

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        """Write the task's row and return its result, as ``DatabaseBackend.enqueue``."""
        result: Any = super().enqueue(task, args, kwargs)
        announce_after_commit(UUID(result.id))
        return result

    async def aenqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        """Do as ``enqueue`` does; the sweep announces the row, since a commit cannot be waited for here."""
        return await super().aenqueue(task, args, kwargs)


def announce_after_commit(task_id: UUID) -> None:
    """Announce a task once the transaction around it is committed; nothing where no broker is chosen.

    A crash between commit and order leaves a row without one; the sweep finds it.
    """
    if broker.engine() != "database":
        transaction.on_commit(partial(_announce_patiently, task_id))


def _announce_patiently(task_id: UUID) -> None:
    """Announce, and let whoever asked for the work go on whatever happens: the sweep announces again."""
    if clock.monotonic() < _quiet["until"]:
        return
    try:
        announce(task_id)
    except BrokerGone as error:
        _quiet["until"] = clock.monotonic() + QUIET_SECONDS
        _logger.warning("queue.no-answer", extra={"step": "announce", "error": str(error)})
    except DatabaseFailure:
        _logger.warning("database.no-answer", extra={"step": "announce"})


def announce(task_id: UUID) -> bool:
    """Send the order of a task that waits, unless one is believed to be under way.

    The mark is committed before the order is sent: a crash in between costs twenty seconds, not an order each sweep.

    Returns:
        Whether an order was sent.

    Raises:
        BrokerGone: the broker did not take it, or took it and did not say so; the next sweep sends it again.
    """
    carrier = broker.current()
    if carrier is None or not _mark(task_id):
        return False
    try:
        carrier.send(str(task_id))
    except BrokerGone:
        Announcement.objects.filter(task_id=task_id).update(again_at=clock.now())
        raise
    return True


def _mark(task_id: UUID) -> bool:
    """Say that a task's order is under way, under a lock on its row; a task that nobody waits for gets none."""
    now = clock.now()
    with transaction.atomic():
        if not _ready().select_for_update().filter(id=task_id).exists():
            return False
        mark, fresh = Announcement.objects.get_or_create(task_id=task_id, defaults={"again_at": now + AGAIN})
        if not fresh:
            if mark.again_at > now:
                return False
            mark.again_at = now + min(AGAIN_MAX, AGAIN * 2**mark.times)
            mark.times = min(mark.times + 1, 10)
            mark.save(update_fields=["again_at", "times"])
    return True


def sweep() -> int:
    """Announce every waiting task whose order is not under way: lost, never sent, or used up by who put it back.

    Returns:
        How many orders were sent.
    """
    if broker.engine() == "database":
        return 0
    fresh = Announcement.objects.filter(again_at__gt=clock.now()).values("task_id")
    sent = 0
    for task_id in list(_ready().exclude(id__in=fresh).values_list("id", flat=True)[:SWEPT_AT_ONCE]):
        try:
            sent += announce(task_id)
        except BrokerGone as error:
            _logger.warning("queue.no-answer", extra={"step": "sweep", "error": str(error)})
            break
    return sent


def claim(worker_id: str, *, task_id: UUID | None = None) -> Any | None:
    """Take a waiting task for a worker; of several who try, one gets it.

    A crash after this leaves a RUNNING row without a lease, which the reaper puts back.

    Args:
        worker_id: who.
        task_id: which; the next one where none is named.

    Returns:
        The task's row, or None where it is not there, is not READY, or not yet due.
    """
    rows = _ready()
    with exclusive_transaction(rows.db):
        row = rows.get_locked() if task_id is None else rows.select_for_update().filter(id=task_id).first()
        if row is not None:
            row.claim(worker_id)
            # The order is used up; whoever puts the task back needs a new one.
            Announcement.objects.filter(task_id=row.id).delete()
        elif task_id is not None:
            # Its order came and found it taken, or done by a worker that was only slow: no order is under way any more.
            Announcement.objects.filter(task_id=task_id).delete()
    return row


def task_named(delivery: Delivery) -> UUID | None:
    """Return the task that an order names; None for an order that is none."""
    try:
        return UUID(delivery.body) if len(delivery.body) == len(str(UUID(int=0))) else None
    except ValueError:
        return None


def _ready() -> Any:
    return DBTaskResult.objects.ready().filter(backend_name=_BACKEND)


def counts() -> dict[str, int]:
    """Return how many tasks wait, run and failed for good, and how many orders and dead letters the broker holds.

    Raises:
        BrokerGone: the broker does not answer.
    """
    by_status = {
        name: DBTaskResult.objects.filter(status=status).count()
        for name, status in (
            ("waiting", TaskResultStatus.READY),
            ("running", TaskResultStatus.RUNNING),
            ("failed", TaskResultStatus.FAILED),
        )
    }
    carrier = broker.current()
    return by_status if carrier is None else {**by_status, "orders": carrier.waiting(), "dead letters": carrier.dead()}
