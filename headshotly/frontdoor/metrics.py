"""What a process measures of itself, in Prometheus' form. Labels are names out of the code, never ids or people.

In the web server there are several processes, and whichever is asked answers for all: each keeps its numbers in files
of a folder that lives as long as the server does (prometheus_client's multi-process mode). Elsewhere they are
in memory.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

EDGES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
OWN = CollectorRegistry()
REQUESTS = Histogram(
    "headshotly_request_seconds",
    "Time to the answer, by name of the address and class of the status.",
    ("route", "status"),
    registry=OWN,
    buckets=EDGES,
)
SPANS_LOST = Counter("headshotly_spans_lost", "Spans that no collector took.", registry=OWN)


def saw_request(route: str, status: int, seconds: float) -> None:
    """Count an answered request.

    Args:
        route: name of the address, as the map of the site has it; ``none`` where there is none.
        status: HTTP status.
        seconds: how long it took.
    """
    REQUESTS.labels(route, f"{status // 100}xx").observe(seconds)


def exposition(more: Collector | None = None, *, shared: Path | None = None) -> bytes:
    """Return everything in Prometheus' text form.

    Args:
        more: numbers of the whole service, read when asked for.
        shared: folder of a server with several processes; None where this process is alone.
    """
    gathered = CollectorRegistry()
    if shared is not None:
        MultiProcessCollector(gathered, path=str(shared))  # type: ignore[no-untyped-call]
    if more is not None:
        gathered.register(more)
    own = b"" if shared is not None else generate_latest(OWN)
    return own + generate_latest(gathered)


def hooks(folder: Path, *, when_worker_ends: Callable[[], None]) -> dict[str, Any]:
    """Return what gunicorn must call so that numbers of processes that ended stay right.

    Args:
        folder: of the server.
        when_worker_ends: called in a worker that is about to end.
    """
    return {
        "child_exit": lambda _server, worker: mark_process_dead(worker.pid, str(folder)),  # type: ignore[no-untyped-call]
        "worker_exit": lambda _server, _worker: when_worker_ends(),
        "on_exit": lambda _server: shutil.rmtree(folder, ignore_errors=True),
    }
