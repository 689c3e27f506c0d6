"""The background worker: django-tasks-db's loop, with the lease it lacks.

django-tasks-db marks a task RUNNING and leaves it so for ever when its worker is killed. Here a worker holds a lease
that it renews while it lives; whoever finds an expired lease puts the task back, a bounded number of times.
"""

import datetime as dt
import logging
import secrets
import threading
from typing import Any
from uuid import UUID

from django.db import OperationalError, connections, transaction
from django.tasks import TaskResultStatus
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from headshotly.frontdoor.models import TaskLease
from headshotly.policy import clock
from headshotly.studio import tasks as studio_tasks

LEASE = dt.timedelta(seconds=20)
HEARTBEAT_SECONDS = 5.0
ATTEMPTS_MAX = 4
REAP_EVERY_SECONDS = 5.0
_logger = logging.getLogger(__name__)

# task → what ends its work in plain words when it crashed its worker too often
_GIVE_UP = {"headshotly.studio.tasks.run_shoot": studio_tasks.give_up}


def reap() -> int:
    """Put back every running task whose worker is gone; give up on one that was tried too often.

    Each task is decided in one transaction under a condition, so that two reapers do not put it back twice.

    Returns:
        How many tasks were put back or given up.
    """
    now = clock.now()
    handled = 0
    for task in DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING):
        lease = TaskLease.objects.filter(task_id=task.id).first()
        # A worker killed between claiming and its first lease leaves no lease at all.
        expires = lease.expires_at if lease else (task.started_at or now) + LEASE
        if expires > now:
            continue
        attempts = lease.attempts if lease else 1
        handled += _give_up(task) if attempts >= ATTEMPTS_MAX else _put_back(task)
    return handled


def _put_back(task: Any) -> int:
    return DBTaskResult.objects.filter(id=task.id, status=TaskResultStatus.RUNNING, started_at=task.started_at).update(
        status=TaskResultStatus.READY, started_at=None
    )


def _give_up(task: Any) -> int:
    with transaction.atomic():
        changed = DBTaskResult.objects.filter(id=task.id, status=TaskResultStatus.RUNNING).update(
            status=TaskResultStatus.FAILED, finished_at=clock.now()
        )
        if changed and task.task_path in _GIVE_UP:
            _GIVE_UP[task.task_path](**task.args_kwargs["kwargs"])
    return changed


class LeasedWorker(Worker):
    """A worker that holds a lease on what it runs and looks after the tasks of dead workers."""

    def __init__(self, *, batch: bool = False, interval: float = 0.3) -> None:
        """Take how to wait.

        Args:
            batch: stop when nothing is left to do.
            interval: seconds between looks at the queue.
        """
        super().__init__(
            queue_names=["*"],
            interval=interval,
            batch=batch,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=secrets.token_hex(16),
            excluded_queue_names=[],
        )

    def run(self) -> None:
        """Work until told to stop; a second thread reaps meanwhile."""
        over = threading.Event()
        reaper = threading.Thread(target=self._reap_until, args=(over,), daemon=True, name="reaper")
        reaper.start()
        try:
            super().run()
        finally:
            over.set()
            reaper.join(timeout=2)

    def _reap_until(self, over: threading.Event) -> None:
        try:
            while not over.is_set():
                try:
                    if reap():
                        _logger.warning("a worker was gone; its task was taken over")
                except OperationalError:
                    _logger.warning("the database did not answer the reaper; trying again")
                over.wait(REAP_EVERY_SECONDS)
        finally:
            connections.close_all()

    def run_task(self, db_task_result: Any) -> None:
        """Run one task under a lease that is renewed until it ends."""
        self._take_lease(db_task_result.id)
        over = threading.Event()
        heart = threading.Thread(target=self._beat, args=(db_task_result.id, over), daemon=True, name="heartbeat")
        heart.start()
        try:
            super().run_task(db_task_result)
        finally:
            over.set()
            heart.join(timeout=2)
            TaskLease.objects.filter(task_id=db_task_result.id, worker=self.worker_id).delete()

    def _take_lease(self, task_id: UUID) -> None:
        with transaction.atomic():
            lease, _ = TaskLease.objects.select_for_update().get_or_create(
                task_id=task_id, defaults={"worker": self.worker_id, "expires_at": clock.now() + LEASE}
            )
            lease.worker, lease.attempts, lease.expires_at = self.worker_id, lease.attempts + 1, clock.now() + LEASE
            lease.save()

    def _beat(self, task_id: UUID, over: threading.Event) -> None:
        """Renew the lease. A worker that was stopped too long finds another's name there and renews nothing."""
        try:
            while not over.wait(HEARTBEAT_SECONDS):
                try:
                    TaskLease.objects.filter(task_id=task_id, worker=self.worker_id).update(
                        expires_at=clock.now() + LEASE
                    )
                except OperationalError:
                    _logger.warning("the lease could not be renewed; trying again")
        finally:
            connections.close_all()
