"""Counts good and bad events for the objectives, in memory first, and adds them to the tables every half minute.

What a killed process had not written yet is lost: at most half a minute of its counts. Nothing is counted twice, since
counts are taken out before they are written, and put back only where the database refused them whole.
"""

import datetime as dt
import logging
import threading
from collections import defaultdict
from typing import Any

from django.db import Error as DatabaseFailure
from django.db import connections, transaction
from django.db.models import F

from headshotly.frontdoor import objectives
from headshotly.frontdoor.models import ObjectiveCount, ObjectiveTotal
from headshotly.policy import clock

SLICE = dt.timedelta(minutes=5)
WRITE_SECONDS = 30.0
KEPT = dt.timedelta(days=35)
_logger = logging.getLogger(__name__)


def slice_of(moment: dt.datetime) -> dt.datetime:
    """Return the beginning of the five minutes a moment lies in."""
    return moment.replace(minute=moment.minute - moment.minute % 5, second=0, microsecond=0)


def add(objective: str, *, good: int, total: int, at: dt.datetime) -> None:
    """Add events to an objective's counts, in the caller's transaction if there is one.

    Args:
        objective: its id.
        good: how many were good.
        total: how many there were.
        at: when.
    """
    with transaction.atomic():
        place: dict[str, Any] = {"objective": objective, "at": slice_of(at)}
        ObjectiveCount.objects.get_or_create(**place)
        ObjectiveCount.objects.filter(**place).update(good=F("good") + good, total=F("total") + total)
        ObjectiveTotal.objects.get_or_create(objective=objective)
        ObjectiveTotal.objects.filter(objective=objective).update(good=F("good") + good, total=F("total") + total)


class Tally:
    """One process's counts that are not in the tables yet."""

    def __init__(self) -> None:
        """Begin with nothing; no thread runs before ``begin``."""
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, dt.datetime], list[int]] = defaultdict(lambda: [0, 0])
        self._over = threading.Event()
        self._writes = False
        self._writer: threading.Thread | None = None

    def begin(self) -> None:
        """Write from now on; the thread starts with the first request, so that it starts after a fork."""
        self._writes = True

    def saw_request(self, route: str, status: int, seconds: float) -> None:
        """Count an answered request for every objective that counts it."""
        if not self._writes:
            return
        now = slice_of(clock.now())
        with self._lock:
            for objective, good in objectives.judge(route, status, seconds):
                found = self._counts[objective, now]
                found[0] += good
                found[1] += 1
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_until_over, name="tally", daemon=True)
                self._writer.start()

    def write(self) -> None:
        """Add what was counted to the tables; where the database does not answer, it waits for the next time."""
        with self._lock:
            taken = {place: (good, total) for place, (good, total) in self._counts.items() if total}
            self._counts.clear()
        if not taken:
            return
        try:
            with transaction.atomic():
                for (objective, at), (good, total) in sorted(taken.items()):
                    add(objective, good=good, total=total, at=at)
        except DatabaseFailure as error:
            _logger.warning("objectives.not-written", exc_info=error)
            with self._lock:
                for place, (good, total) in taken.items():
                    self._counts[place][0] += good
                    self._counts[place][1] += total

    def end(self) -> None:
        """Write what is left; called by a process that ends."""
        self._over.set()
        if self._writes:
            self.write()
            connections.close_all()

    def _write_until_over(self) -> None:
        try:
            while not self._over.wait(WRITE_SECONDS):
                self.write()
                connections.close_all()
        finally:
            connections.close_all()


OF_THIS_PROCESS = Tally()
