"""The background worker: django-tasks-db's loop, with the lease it lacks.

django-tasks-db marks a task RUNNING and leaves it so for ever when its worker is killed, and a worker that was only
slow ends a task that somebody else has taken over. Here a worker holds a lease that it renews while it lives; whoever
finds an expired lease puts the task back, a bounded number of times; and only the holder of the lease ends a task.
What was measured stands in ``docs/adr/0050-the-queue-and-its-lease.md``.
"""

import datetime as dt
import logging
import os
import secrets
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, close_old_connections, connections, transaction
from django.tasks import TaskResultStatus
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from headshotly.frontdoor import broker, program_metrics, queueing, tracing
from headshotly.frontdoor.broker import Broker, BrokerGone, Delivery
from headshotly.frontdoor.models import TaskLease
from headshotly.incidents import containment, watching
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.policy.permission import permission_of
from headshotly.policy.refusal import Refusal
from headshotly.rights import tasks as rights_tasks
from headshotly.studio import tasks as studio_tasks

PERMISSION = "service:worker"
LEASE = dt.timedelta(seconds=20)
READ_ONLY_PAUSE = dt.timedelta(seconds=30)
HEARTBEAT_SECONDS = 5.0
ATTEMPTS_MAX = 4
REAP_EVERY_SECONDS = 5.0
WAIT_SECONDS = 10.0  # for an order, at a broker
LONGEST_SECONDS = 3600.0  # no task takes an hour; one that does hangs
_GONE = (OperationalError, InterfaceError)
_logger = logging.getLogger(__name__)

# task → what ends its work in plain words when it crashed its worker too often
_GIVE_UP: dict[str, Callable[..., None]] = {
    "headshotly.studio.tasks.run_shoot": studio_tasks.give_up,
    "headshotly.rights.tasks.build_export": rights_tasks.give_up,
}


def reap() -> int:
    """Put back every running task whose worker is gone; give up on one that was tried too often.

    Each task is decided under a condition on the very claim that was looked at, so that two reapers do not put it
    back twice, and none takes it from whoever claimed it in between.

    Returns:
        How many tasks were put back or given up.
    """
    now = clock.now()
    handled = 0
    for task in DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING):
        lease = TaskLease.objects.filter(task_id=task.id).first()
        # Between a claim and its lease there is none, or only the expired one of a worker that died before.
        claim_ends = (task.started_at or now) + LEASE
        if max(claim_ends, lease.expires_at if lease else claim_ends) > now:
            continue
        attempts = lease.attempts if lease else 1
        handled += _give_up(task, attempts) if attempts >= ATTEMPTS_MAX else _put_back(task, attempts)
    return handled


def _tell(task: Any, what: str, attempt: int, *, seconds: float | None = None, error: str = "") -> None:
    watching.saw_task(
        task=task.id,
        claimed_at=task.started_at,
        path=task.task_path,
        what=what,
        attempt=attempt,
        seconds=seconds,
        error=error,
    )
    if what != "taken":
        transaction.on_commit(lambda: program_metrics.saw_job(task.task_path, what, seconds))


def _put_back(task: Any, attempts: int) -> int:
    """Let somebody else take it. What is told before the commit may be told again, but is never missing."""
    with transaction.atomic():
        changed = DBTaskResult.objects.filter(
            id=task.id, status=TaskResultStatus.RUNNING, started_at=task.started_at
        ).update(status=TaskResultStatus.READY, started_at=None)
        if changed:
            _tell(task, "put-back", attempts)
    return changed


def _give_up(task: Any, attempts: int) -> int:
    with transaction.atomic():
        changed = DBTaskResult.objects.filter(
            id=task.id, status=TaskResultStatus.RUNNING, started_at=task.started_at
        ).update(status=TaskResultStatus.FAILED, finished_at=clock.now())
        if changed:
            _tell(task, "given-up", attempts)
            TaskLease.objects.filter(task_id=task.id).delete()
            if task.task_path in _GIVE_UP:
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

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        """End after the step at hand; the rest of the task goes back to the queue. A second signal ends at once."""
        studio_tasks.interruption.set()
        super().shutdown(signum, frame)

    def run(self) -> None:
        """Work until told to stop; a second thread reaps meanwhile."""
        over = threading.Event()
        reaper = threading.Thread(target=self._reap_until, args=(over,), daemon=True, name="reaper")
        reaper.start()
        try:
            carrier = broker.current()
            if carrier is None:
                super().run()
            else:
                self._run_orders(carrier)
        finally:
            over.set()
            reaper.join(timeout=2)

    def _run_orders(self, carrier: Broker) -> None:
        """Wait for orders instead of looking into the database; where the broker is away, look there after all."""
        while self.running:
            close_old_connections()
            idle = not self._take_order(carrier)
            if idle and self.batch:
                return
            close_old_connections()

    def _take_order(self, carrier: Broker) -> bool:
        """Wait for one order and do what it asks.

        The order is done with once its row is claimed, not once the work is: from there on lease and reaper see to it.
        A crash before that lets the broker deliver it again; a crash after the claim leaves the row to the reaper.

        Returns:
            Whether there was something to do.
        """
        try:
            delivery = carrier.receive(wait=0 if self.batch else WAIT_SECONDS)
        except BrokerGone as error:
            _logger.warning("queue.no-answer", extra={"step": "receive", "error": str(error)})
            return self._run_claimed(None) or (not self.batch and self._pause())
        if delivery is None:
            # Told to stop when idle, a worker must not believe a broker that lost something.
            return self.batch and self._run_claimed(None)
        try:
            return self._obey(carrier, delivery)
        except BrokerGone as error:
            _logger.warning("queue.no-answer", extra={"step": "refuse", "error": str(error)})
            return True

    def _pause(self) -> bool:
        threading.Event().wait(self.interval)
        return True

    def _obey(self, carrier: Broker, delivery: Delivery) -> bool:
        task_id = queueing.task_named(delivery)
        if task_id is None:
            _logger.error("queue.no-order")
            carrier.refuse(delivery)
            return True
        self._run_claimed(task_id, lambda: carrier.done(delivery))
        return True

    def _run_claimed(self, task_id: UUID | None, claimed: Callable[[], None] = lambda: None) -> bool:
        """Claim a task, or the next one, and run it; a signal in between lets it end the task, not the process."""
        self.running_task = True
        try:
            task = queueing.claim(self.worker_id, task_id=task_id)
            try:
                claimed()
            except BrokerGone as error:
                _logger.warning("queue.no-answer", extra={"step": "done", "error": str(error)})
            if task is None:
                return False
            self.run_task(task)
        except _GONE:
            _logger.warning("database.no-answer", extra={"step": "claim"})
            connections.close_all()
            self._pause()
        finally:
            self.running_task = False
        return True

    def _reap_until(self, over: threading.Event) -> None:
        try:
            while not over.is_set():
                try:
                    if reap():
                        _logger.warning("worker.gone")
                    queueing.sweep()
                except _GONE:
                    _logger.warning("database.no-answer", extra={"step": "reaper"})
                    connections.close_all()
                over.wait(REAP_EVERY_SECONDS)
        finally:
            connections.close_all()

    def run_task(self, db_task_result: Any) -> None:
        """Run one task under a lease that is renewed until it ends.

        The parent's method is not used: it writes a task's end whoever holds it, and takes a signal that ends the
        process for a failure of the task. While the service is read-only nothing is run; what waits, waits.
        """
        if containment.read_only():
            _put_off(db_task_result)
            return
        attempt = self._take_lease(db_task_result)
        over = threading.Event()
        heart = threading.Thread(target=self._beat, args=(db_task_result.id, over), daemon=True, name="heartbeat")
        heart.start()
        self.running_task = True
        try:
            with tracing.working(db_task_result.id, db_task_result.task_path):
                self._run_held(db_task_result, attempt)
        finally:
            over.set()
            heart.join(timeout=2)
            self.running_task = False
            self._run_tasks += 1

    def _run_held(self, task: Any, attempt: int) -> None:
        """Run the task and write its end, if it is still ours. A crash anywhere here leaves it to the reaper."""
        arguments, began = task.args_kwargs, clock.monotonic()

        def end(write: Callable[[], None], what: str, error: str = "") -> None:
            self._end(task, write, what=what, attempt=attempt, seconds=clock.monotonic() - began, error=error)

        try:
            _require_permission(task.task)
            value = task.task.call(*arguments["args"], **arguments["kwargs"])
        except studio_tasks.Interrupted:
            end(lambda: _back_to_the_queue(task), "returned")
        except SystemExit:
            end(lambda: _back_to_the_queue(task), "returned")
            raise
        except _GONE:
            # The database went away under the work: no failure of the task. Its lease runs out, and it is tried again.
            _logger.warning("database.no-answer", extra={"step": "job"})
            connections.close_all()
        except Exception as error:
            _logger.exception("job.failed")
            watching.saw_failure(product="python", error=type(error).__name__, where=task.task_path)
            failure = error
            end(lambda: task.set_failed(failure), "failed", type(failure).__name__)
        else:
            end(lambda: task.set_successful(value), "finished")

    def _end(
        self, task: Any, write: Callable[[], None], *, what: str, attempt: int, seconds: float, error: str
    ) -> None:
        """Write a task's end and drop the lease in one transaction; without the lease, write nothing.

        The event stream is told before the commit: a crash in between leaves an end that comes once more.
        """
        with transaction.atomic():
            held, _ = TaskLease.objects.filter(task_id=task.id, worker=self.worker_id).delete()
            if held:
                write()
            else:
                # Its end is not ours to write.
                _logger.warning("job.taken-over")
            _tell(task, what if held else "lease-lost", attempt, seconds=seconds, error=error)

    def _take_lease(self, task: Any) -> int:
        """Take the lease and return which attempt this is."""
        with transaction.atomic():
            lease, _ = TaskLease.objects.select_for_update().get_or_create(
                task_id=task.id, defaults={"worker": self.worker_id, "expires_at": clock.now() + LEASE}
            )
            lease.worker, lease.attempts, lease.expires_at = self.worker_id, lease.attempts + 1, clock.now() + LEASE
            lease.save()
            _tell(task, "taken", lease.attempts)
        return int(lease.attempts)

    def _beat(self, task_id: UUID, over: threading.Event) -> None:
        """Renew the lease. A worker that was stopped too long finds another's name there and renews nothing.

        A task that hangs would keep its lease for ever; it takes its worker with it instead, which counts as a crash.
        """
        began = clock.monotonic()
        try:
            while not over.wait(HEARTBEAT_SECONDS):
                if clock.monotonic() - began > LONGEST_SECONDS:
                    _logger.error("job.hangs", extra={"job": task_id})
                    os.kill(os.getpid(), signal.SIGKILL)
                try:
                    TaskLease.objects.filter(task_id=task_id, worker=self.worker_id).update(
                        expires_at=clock.now() + LEASE
                    )
                except _GONE:
                    _logger.warning("database.no-answer", extra={"step": "lease"})
                    connections.close_all()
        finally:
            connections.close_all()


@enforces("2.4.a")
def _require_permission(task: Any) -> None:
    if permission_of(task.func) != PERMISSION:
        raise Refusal("This task names no permission, so no worker does it.", code="task.no_permission")


def _put_off(task: Any) -> None:
    """Let a claimed task wait a while, without counting it as an attempt."""
    DBTaskResult.objects.filter(id=task.id, status=TaskResultStatus.RUNNING).update(
        status=TaskResultStatus.READY, started_at=None, run_after=clock.now() + READ_ONLY_PAUSE
    )


def _back_to_the_queue(task: Any) -> None:
    DBTaskResult.objects.filter(id=task.id, status=TaskResultStatus.RUNNING).update(
        status=TaskResultStatus.READY, started_at=None
    )
    queueing.announce_after_commit(task.id)
