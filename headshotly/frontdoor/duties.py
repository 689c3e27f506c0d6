"""What the front door does unasked: it counts for the objectives what no request counts, and keeps the queue honest."""

import datetime as dt
from collections.abc import Iterator

from django.db import transaction
from django.tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from headshotly.audit import selectors as journal
from headshotly.frontdoor import broker, objectives, queueing, tally
from headshotly.frontdoor.broker import BrokerGone
from headshotly.frontdoor.models import JobTrace, ObjectiveCount, ObjectiveTotal
from headshotly.incidents import watching
from headshotly.policy import clock
from headshotly.policy.duties import duty
from headshotly.studio import tasks

_SETTLED = dt.timedelta(seconds=10)  # a shoot's end may be committed a moment after the moment it names
_FIRST_LOOK = dt.timedelta(hours=1)


@duty("frontdoor.count-for-objectives", every=dt.timedelta(minutes=1))
def count() -> str:
    """Count the jobs of shoots that ended, look how long the journal lags, and drop counts that no window reaches."""
    now = clock.now()
    jobs = sum(_count_jobs(one, now) for one in objectives.of_kind("jobs"))
    oldest = journal.oldest_waiting()
    for one in objectives.of_kind("journal"):
        late = oldest is not None and (now - oldest).total_seconds() > (one.seconds or 0.0)
        tally.add(one.id, good=int(not late), total=1, at=now)
    waiting = DBTaskResult.objects.filter(status__in=(TaskResultStatus.READY, TaskResultStatus.RUNNING))
    JobTrace.objects.exclude(task_id__in=waiting.values("id")).delete()
    dropped, _ = ObjectiveCount.objects.filter(at__lt=now - tally.KEPT).delete()
    return f"{jobs} ended jobs counted, the journal's lag once; {dropped} old counts dropped."


def _count_jobs(one: objectives.Objective, now: dt.datetime) -> int:
    """Count what ended since the last look; counts and place move in one transaction, so that none counts twice."""
    with transaction.atomic():
        ObjectiveTotal.objects.get_or_create(objective=one.id)
        row = ObjectiveTotal.objects.select_for_update().get(objective=one.id)
        since, until = row.until or now - _FIRST_LOOK, now - _SETTLED
        ended = list(_ended(since, until))
        for waited, finished, succeeded in ended:
            good = succeeded and waited <= (one.seconds or 0.0)
            tally.add(one.id, good=int(good), total=1, at=finished)
        if since < until:
            ObjectiveTotal.objects.filter(objective=one.id).update(until=until)
    return len(ended)


def _ended(since: dt.datetime, until: dt.datetime) -> Iterator[tuple[float, dt.datetime, bool]]:
    """Yield, of every shoot's job that ended in a span of time, seconds since it was asked for, when, and how."""
    over = (TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED)
    rows = DBTaskResult.objects.filter(task_path=tasks.run_shoot.module_path, status__in=over)
    for row in rows.filter(finished_at__gte=since, finished_at__lt=until):
        waited = (row.finished_at - row.enqueued_at).total_seconds()
        yield waited, row.finished_at, row.status == TaskResultStatus.SUCCESSFUL


@duty("frontdoor.queue", every=dt.timedelta(minutes=1))
def keep_queue() -> str:
    """Announce again what waits without an order, and raise the dead letters.

    Workers sweep too, every few seconds; this one does it where none runs, and makes what lies dead an event.
    """
    sent = queueing.sweep()
    try:
        found = queueing.counts()
    except BrokerGone as error:
        watching.saw_failure(product="python", error="BrokerGone", where="frontdoor.queue")
        return f"The queue ({broker.engine()}) does not answer ({error}); workers look into the database."
    dead = found.get("dead letters", 0)
    if dead:
        watching.saw_failure(product="python", error="DeadLetters", where="frontdoor.queue")
    return f"{sent} tasks announced again; {found['waiting']} wait, {found['failed']} failed; {dead} dead letters."
