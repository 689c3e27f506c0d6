"""What worker, sequencer, sender, detector and duties measure of themselves, and the port they tell it on, if any.

Option ``metrics.listen`` is the address; without it nobody listens. Plain HTTP without a password: nothing in it is
about a person, and the address is to be this machine's own or one of a network that only the collector reaches.
"""

import logging
from collections.abc import Iterator

from django.db import connections
from prometheus_client import Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from headshotly.frontdoor.gauges import OF_PROGRAMS, WholeService
from headshotly.frontdoor.metrics import OWN
from headshotly.policy import clock, configuration
from headshotly.policy.refusal import Refusal

# The first of ``metrics.port`` and those after it: programs of one machine, each with a port of its own.
FIRST_PORT = 9464
PROGRAMS = ("worker", "sequencer", "detector", "duties", "slow-duties", "sender")
_LAST_PORT = 65_535
_SECONDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
_logger = logging.getLogger(__name__)

JOBS = Counter(
    "headshotly_jobs", "Ends of jobs in this process, by task and how it ended.", ("task", "end"), registry=OWN
)
JOB_SECONDS = Histogram(
    "headshotly_job_seconds", "How long a job ran in this process.", ("task",), registry=OWN, buckets=_SECONDS
)
STEPS = Counter(
    "headshotly_steps", "Steps of this program's loop, by what came of them.", ("program", "end"), registry=OWN
)
TAKEN = Counter("headshotly_entries", "Entries this program took in.", ("program",), registry=OWN)
LAST_STEP = Gauge(
    "headshotly_last_step_timestamp_seconds", "When the loop went round last.", ("program",), registry=OWN
)
DUTIES = Counter("headshotly_duties", "Duties done by this process, by name and end.", ("duty", "end"), registry=OWN)
DUTY_SECONDS = Histogram(
    "headshotly_duty_seconds", "How long a duty took in this process.", ("duty",), registry=OWN, buckets=_SECONDS
)


def saw_job(path: str, end: str, seconds: float | None) -> None:
    """Count how a job ended.

    Args:
        path: of the task, a name out of the code.
        end: ``finished``, ``failed``, ``returned``, ``lease-lost``, ``put-back`` or ``given-up``.
        seconds: how long it ran; None where another process ran it.
    """
    JOBS.labels(path.rpartition(".")[2], end).inc()
    if seconds is not None:
        JOB_SECONDS.labels(path.rpartition(".")[2]).observe(seconds)


def saw_step(program: str, *, taken: int = 0, failed: bool = False) -> None:
    """Count one round of a program's loop.

    Args:
        program: which.
        taken: entries it took in.
        failed: the database or the witness did not answer.
    """
    STEPS.labels(program, "failed" if failed else "done").inc()
    TAKEN.labels(program).inc(taken)
    LAST_STEP.labels(program).set(clock.now().timestamp())


def saw_duty(name: str, *, succeeded: bool, seconds: float) -> None:
    """Count a duty that ended.

    Args:
        name: of the duty.
        succeeded: whether it did what it should.
        seconds: how long it took.
    """
    DUTIES.labels(name, "done" if succeeded else "failed").inc()
    DUTY_SECONDS.labels(name).observe(seconds)


class _Everything(CollectorRegistry):
    """This process's own numbers and those of what it works on; connections of the thread that asked go afterwards."""

    def __init__(self, more: Collector) -> None:
        super().__init__()
        self._more = more

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        try:
            yield from OWN.collect()
            yield from self._more.collect()
        finally:
            connections.close_all()


def port_of(program: str) -> int:
    """Return where a program listens.

    Raises:
        Refusal: the option ``metrics.port`` is no port.
    """
    named = configuration.current().options.get("metrics.port", str(FIRST_PORT))
    if not named.isdecimal() or not 0 < int(named) <= _LAST_PORT - len(PROGRAMS):
        raise Refusal(f"“{named}” is no port; metrics.port is the first of {len(PROGRAMS)}.", code="metrics.port")
    return int(named) + PROGRAMS.index(program)


def listen(program: str) -> None:
    """Tell the numbers of this process to whoever asks, where the option ``metrics.listen`` names an address.

    A port that is taken, by a second worker on one machine, is said and costs the numbers only, never the work.

    Args:
        program: one of ``PROGRAMS``.

    Raises:
        Refusal: the option ``metrics.port`` is no port.
    """
    address = configuration.current().options.get("metrics.listen", "")
    if not address:
        return
    told = WholeService(parts=OF_PROGRAMS["duties" if program == "slow-duties" else program])
    try:
        start_http_server(port_of(program), addr=address, registry=_Everything(told))
    except OSError as error:
        _logger.warning("metrics.no-port", exc_info=error, extra={"program": program})
