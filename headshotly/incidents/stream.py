"""The stream at work: reads every source in turn, keeps what is new, detects, and remembers how far it came.

One step is one transaction: events, hits, episodes, alerts and the offset, or nothing. A crash before the commit reads
the same again; a crash after it, before the source is told, delivers again what is known already.
"""

import datetime as dt
import logging
import secrets
from collections.abc import Sequence
from typing import Any

from django.db import Error as DatabaseFailure
from django.db import transaction

from headshotly.incidents import alerts, expectations
from headshotly.incidents.alerts import Finding
from headshotly.incidents.detecting import Detector
from headshotly.incidents.ingesting import be_alone, count_refused, keep
from headshotly.incidents.models import AlertKind, Level, Offset
from headshotly.incidents.observation import Observation
from headshotly.incidents.reading import BATCH, Batch, Reader
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

DETECTOR = "detector"
_PULSE = dt.timedelta(seconds=5)
_EXPECT_EVERY = dt.timedelta(seconds=20)
_logger = logging.getLogger(__name__)


class Stream:
    """Every reader and the detector."""

    def __init__(self, readers: Sequence[Reader], detector: Detector) -> None:
        """Take what is read and what decides."""
        self._readers = readers
        self._detector = detector
        self._mark = secrets.token_hex(8)
        self._pulsed_at = self._expected_at = dt.datetime.min.replace(tzinfo=dt.UTC)
        self._failing: dict[str, int] = {}

    def step(self) -> int:
        """Read every source once.

        A source that fails is passed over and tried again; the others go on.

        Returns:
            How many deliveries were taken; nothing is left where it is zero.

        Raises:
            DatabaseFailure: the database does not answer; nothing was taken from the source that was read.
        """
        taken = 0
        for reader in self._readers:
            try:
                batch = reader.read()
            except DatabaseFailure:
                raise
            except Exception as error:  # noqa: BLE001 - a source is a stranger; whatever it does must not stop the others
                self._failed(reader.name, error)
                continue
            self._failing.pop(reader.name, None)
            taken += self._take(batch)
        self._pulse()
        return taken

    @enforces("8.2.a", "8.2.b")
    def _take(self, batch: Batch) -> int:
        if not batch.is_empty:
            pieces = [batch.observations[start : start + BATCH] for start in range(0, len(batch.observations), BATCH)]
            for piece in pieces[:-1]:
                self._commit(piece, Batch(batch.source))
            self._commit(pieces[-1] if pieces else [], batch)
        batch.afterwards()
        return len(batch.observations) + batch.refused

    def _commit(self, observations: Sequence[Observation], batch: Batch) -> None:
        """Take one piece in; the offset goes with the last one."""
        try:
            with transaction.atomic():
                be_alone()
                self._take_over()
                self._detector.consume(keep(observations))
                _write_offsets(batch)
                _tell_losses(batch)
        except BaseException:
            self._detector.forget()
            raise

    def _take_over(self) -> None:
        """Write our mark; where another detector's stands, what we remember is old."""
        mine = Offset.objects.filter(reader=DETECTOR, mark=self._mark)
        if not mine.update(moved_at=clock.now()):
            self._detector.forget()
            _move(DETECTOR, mark=self._mark)

    def _pulse(self) -> None:
        """Show that somebody is watching, and look for sources that fell silent."""
        now = clock.now()
        if now - self._pulsed_at >= _PULSE:
            with transaction.atomic():
                self._take_over()
            self._pulsed_at = now
        if now - self._expected_at >= _EXPECT_EVERY:
            expectations.alarm_silent()
            self._expected_at = now

    def _failed(self, name: str, error: Exception) -> None:
        self._failing[name] = self._failing.get(name, 0) + 1
        if self._failing[name] == 1:
            _logger.warning("source.unreadable", extra={"source": name, "error": type(error).__name__})


def _write_offsets(batch: Batch) -> None:
    for reader, place in batch.offsets.items():
        _move(reader, position=max(place, 0), mark="done" if place < 0 else "")


def _move(reader: str, **place: Any) -> None:
    """Write where a reader is; its row is there nearly always, so it is looked for by changing it."""
    now, row = clock.now(), Offset.objects.filter(reader=reader)
    if not row.update(**place, moved_at=now):
        Offset.objects.get_or_create(reader=reader, defaults={"moved_at": now})
        row.update(**place, moved_at=now)


def _tell_losses(batch: Batch) -> None:
    """Say what a source delivered that is no event, and what a writer had to give up for want of disk and memory."""
    if batch.refused:
        count_refused(batch.source, batch.refused)
    now = clock.now()
    for count, rule, title, level in (
        (batch.lost, "stream-lost", "Events were lost", Level.CRITICAL),
        (batch.refused, "stream-refused", "A source delivers what is no event", Level.LOW),
    ):
        if count:
            alerts.raise_alert(
                Finding(
                    kind=AlertKind.STREAM,
                    level=level,
                    rule=rule,
                    title=title,
                    sentence=f"{title}: {count} of the source “{batch.source}”.",
                    source=batch.source,
                    group={"source": batch.source},
                    began=now.date().isoformat(),
                    hits=count,
                    first_event_at=now,
                    last_event_at=now,
                )
            )
