"""Processor time of all that a side runs, by what each process is: on a busy machine it says more than a rate."""

import os
from collections import defaultdict
from pathlib import Path

from bench.service_soak import ZYGOTE, descendants, processes

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
WEB = "serve web"


def spent(root: int) -> dict[str, float]:
    """Return the milliseconds of processor time, user and system, that a process and all under it took so far.

    Args:
        root: process that the side was started as.

    Returns:
        By role; whatever has none of its own is the web server's on a rival's side and ``other`` on ours.
    """
    roles = processes(root)
    taken: dict[str, float] = defaultdict(float)
    for process in descendants(root):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        role = roles.get(process, "other")
        # A decoder lives for one picture; what it took is told by its zygote, which waited for its end.
        counted = fields[11:15] if role == ZYGOTE else fields[11:13]
        taken[role] += sum(map(int, counted)) * _TICK_MS
    return taken


def since(root: int, before: dict[str, float]) -> dict[str, float]:
    """Return what was taken since ``before``, by role; a process that ended meanwhile counts for nothing."""
    return {role: max(0.0, now - before.get(role, 0.0)) for role, now in spent(root).items()}
