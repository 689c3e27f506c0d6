"""Numbers of the whole service, read where they stand when somebody asks. Counts and ages only."""

import datetime as dt
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import Error as DatabaseFailure
from django.db.models import Count, Min
from django_tasks_db.models import DBTaskResult
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from headshotly.audit import selectors as journal
from headshotly.continuity import selectors as continuity
from headshotly.frontdoor.models import DutyRecord, ObjectiveTotal, TaskLease
from headshotly.incidents import case_selectors, overseeing
from headshotly.incidents import selectors as alerts
from headshotly.policy import clock
from headshotly.policy.refusal import Refusal
from headshotly.proof import selectors as proof
from headshotly.proof.verdicts import Verdict
from headshotly.studio import selectors as studio
from headshotly.studio.models import ShootState

KEPT_SECONDS = 10.0  # several collectors may ask at once
_JOB_STATES = ("READY", "RUNNING", "SUCCESSFUL", "FAILED")
_logger = logging.getLogger(__name__)
type Family = Callable[[], Iterator[Metric]]


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"headshotly_{name}", words, value=value)


def _by(name: str, words: str, label: str, values: dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"headshotly_{name}", words, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _seconds_since(moment: dt.datetime | None) -> float:
    return 0.0 if moment is None else max(0.0, (clock.now() - moment).total_seconds())


def _queue() -> Iterator[Metric]:
    rows = DBTaskResult.objects.values("status").annotate(count=Count("id"), oldest=Min("enqueued_at"))
    found = {str(row["status"]): row for row in rows}
    counts = {state.lower(): float(found[state]["count"]) if state in found else 0.0 for state in _JOB_STATES}
    yield _by("queue_jobs", "Jobs in the queue's table, by state.", "state", counts)
    oldest = found["READY"]["oldest"] if "READY" in found else None
    yield _gauge("queue_oldest_seconds", "Age of the oldest job that waits.", _seconds_since(oldest))
    busy = TaskLease.objects.filter(expires_at__gt=clock.now()).count()
    yield _gauge("workers_busy", "Workers that hold a job.", busy)


def _shoots() -> Iterator[Metric]:
    counts = studio.counts_by_state()
    values = {state.value: float(counts.get(state, 0)) for state in ShootState}
    yield _by("shoots", "Shoots, by state.", "state", values)


class _Front:
    """Remembers since when the same entries were first in line; the web program may not read their own dates."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, dt.datetime]] = {}

    def seconds(self) -> float:
        """Return how long the longer waiting one has been seen at the front of its outbox."""
        now, found = clock.now(), dict(enumerate(journal.front()))
        self._seen = {
            box: self._seen[box] if self._seen.get(box, (0, now))[0] == first else (first, now)
            for box, first in found.items()
            if first
        }
        return max((_seconds_since(since) for _, since in self._seen.values()), default=0.0)


_FRONT = _Front()


def _journal() -> Iterator[Metric]:
    yield _gauge("journal_waiting_entries", "Entries that are not sequenced yet.", journal.waiting())
    words = "How long, as far as this server looked, the same entry has been the first to wait; nought for none."
    yield _gauge("journal_oldest_waiting_seconds", words, _FRONT.seconds())
    yield from _checkpoint()


def _checkpoint() -> Iterator[Metric]:
    signed = journal.last_signed_at()
    age = float("nan") if signed is None else _seconds_since(signed)
    words = "Since the newest head of the journal was signed; grows where nothing happens. NaN where there is none."
    yield _gauge("journal_checkpoint_age_seconds", words, age)


def _sequencer() -> Iterator[Metric]:
    """Yield the journal's lag as only those may who may read what waits: the entries' own dates."""
    yield _gauge("journal_waiting_entries", "Entries that are not sequenced yet.", journal.waiting())
    oldest = _seconds_since(journal.oldest_waiting())
    yield _gauge("journal_oldest_waiting_seconds", "Age of the oldest entry that waits; nought for none.", oldest)
    yield from _checkpoint()


def _detector() -> Iterator[Metric]:
    yield _gauge("detector_behind_entries", "Journal entries the detector has not read yet.", overseeing.behind())
    worked = overseeing.last_worked()
    silent = float("nan") if worked is None else _seconds_since(worked)
    yield _gauge("detector_silent_seconds", "Since the detector gave a sign of life; NaN where it never did.", silent)


def _continuity() -> Iterator[Metric]:
    found = continuity.standings()
    ages = {one.what.lower(): float("nan") if one.age is None else one.age.total_seconds() for one in found}
    yield _by("continuity_age_seconds", "Age of backup, mirror, drill and review; NaN for none.", "what", ages)
    limits = {one.what.lower(): one.limit.total_seconds() for one in found}
    yield _by("continuity_limit_seconds", "How old each may be.", "what", limits)


def _proof() -> Iterator[Metric]:
    counts = Counter(one.judgement.verdict for one in proof.states().values())
    values = {str(verdict).lower(): float(counts[verdict]) for verdict in Verdict}
    yield _by("clauses", "Clauses of the policy, by verdict.", "verdict", values)


def _incidents() -> Iterator[Metric]:
    lines = case_selectors.open_lines()
    late = sum(line.late and not line.case.is_exercise for line in lines)
    values = {"open": float(sum(not line.case.is_exercise for line in lines)), "late": float(late)}
    yield _by("cases", "Cases that are not closed, and of them those past their clock.", "state", values)
    yield _gauge("alerts_open", "Alerts that nobody has dealt with.", len(alerts.open_alerts()))


def _duties() -> Iterator[Metric]:
    records = list(DutyRecord.objects.all())
    ended = {one.name: one.ended_at.timestamp() for one in records if one.ended_at is not None}
    yield _by("duty_ended_timestamp_seconds", "When a duty ended last (Unix time).", "duty", ended)
    well = {one.name: float(one.succeeded) for one in records if one.succeeded is not None}
    yield _by("duty_succeeded", "Whether a duty's last run succeeded.", "duty", well)


def _objectives() -> Iterator[Metric]:
    total = CounterMetricFamily("headshotly_objective_events", "Events an objective counted.", labels=["objective"])
    good = CounterMetricFamily("headshotly_objective_good", "Of them, those that were good.", labels=["objective"])
    for row in ObjectiveTotal.objects.order_by("objective"):
        total.add_metric([row.objective], row.total)
        good.add_metric([row.objective], row.good)
    yield from (total, good)


PARTS: dict[str, Family] = {
    "queue": _queue,
    "shoots": _shoots,
    "journal": _journal,
    "detector": _detector,
    "continuity": _continuity,
    "proof": _proof,
    "incidents": _incidents,
    "duties": _duties,
    "objectives": _objectives,
}


# What each program tells besides its own counts: what it works on, and nothing its role may not read.
OF_PROGRAMS: dict[str, dict[str, Family]] = {
    "worker": {name: PARTS[name] for name in ("queue", "shoots")},
    "sequencer": {"journal": _sequencer},
    "detector": {"detector": _detector},
    "duties": PARTS,
    "sender": {},
}


@dataclass(eq=False)
class WholeService(Collector):
    """Reads every part; one that cannot be read is told as such and leaves the others whole."""

    parts: dict[str, Family] = field(default_factory=lambda: PARTS)
    read_at: float = float("-inf")
    found: tuple[Metric, ...] = ()

    def __post_init__(self) -> None:
        """Let one reader at a time read."""
        self._lock = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        """Yield the families, read at most ten seconds ago."""
        with self._lock:
            if clock.monotonic() - self.read_at > KEPT_SECONDS:
                self.found, self.read_at = tuple(self._read()), clock.monotonic()
            yield from self.found

    def _read(self) -> Iterator[Metric]:
        failed = GaugeMetricFamily("headshotly_part_unreadable", "Parts that could not be read now.", labels=["part"])
        for name, part in self.parts.items():
            try:
                families = list(part())
            except (DatabaseFailure, Refusal, OSError) as error:
                _logger.warning("metrics.unreadable", exc_info=error, extra={"source": name})
                failed.add_metric([name], 1)
                continue
            failed.add_metric([name], 0)
            yield from families
        yield failed


WHOLE_SERVICE = WholeService()
