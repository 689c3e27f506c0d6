"""Starts the processes of the service, keeps them alive, and ends them together."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from headshotly.frontdoor.stopping import Stopping
from headshotly.policy import clock

STOP_SECONDS = 8.0
_PR_SET_PDEATHSIG = 1
_BACKOFF_MAX = 10.0


@dataclass
class Child:
    """One process that should be running.

    Attributes:
        name: what the terminal calls it.
        arguments: of the ``headshotly`` program.
        stop_seconds: how long it may take to end when asked.
        process: the running process, if any.
        restart_at: moment, on the monotonic clock, before which it is not started again.
        crashes: how often it ended by itself, for the pause before the next start.
    """

    name: str
    arguments: Sequence[str]
    stop_seconds: float = STOP_SECONDS
    process: "subprocess.Popen[bytes] | None" = None
    restart_at: float = 0.0
    crashes: int = field(default=0)

    def start(self) -> None:
        """Start the process. On Linux it ends by itself when this one is gone, however that happens."""
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "headshotly.frontdoor", *self.arguments],
            preexec_fn=partial(_die_with, os.getpid()) if sys.platform == "linux" else None,  # noqa: PLW1509 - two calls only
            start_new_session=True,
        )

    def look_after(self, say: Callable[[str], None]) -> None:
        """Start the process again where it ended by itself, after a growing pause."""
        now = clock.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self.crashes += 1
            pause = min(_BACKOFF_MAX, 0.5 * 2**self.crashes)
            say(f"{self.name} ended with code {self.process.returncode}; starting it again in {pause:.0f} s")
            self.process, self.restart_at = None, now + pause
        if self.process is None and now >= self.restart_at:
            self.start()


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)  # it was killed before the system knew that we go with it


class Supervisor:
    """Runs children until told to stop."""

    def __init__(self, children: Sequence[Child], say: Callable[[str], None], stop: Stopping) -> None:
        """Take the children, how to speak on the terminal, and what listens to signals already."""
        self._children = children
        self._say = say
        self._stop = stop

    def run(self, when_ready: Callable[[], bool]) -> None:
        """Start everything, call ``when_ready`` until it says so, and stay until a signal comes.

        Args:
            when_ready: tries to reach the service; returns True once it could and has announced it.
        """
        announced = False
        try:
            while not self._stop.is_told():
                for child in self._children:
                    child.look_after(self._say)
                announced = announced or when_ready()
                self._stop.wait(0.25)
        finally:
            end_all(self._children)


def end_all(children: Sequence[Child]) -> None:
    """End processes that were started, together: asked first, killed where they do not listen."""
    running = [(child.process, child.stop_seconds) for child in children if child.process is not None]
    for process, _ in running:
        _signal_group(process, signal.SIGTERM)
    asked = clock.monotonic()
    for process, seconds in running:
        try:
            process.wait(timeout=max(0.1, asked + seconds - clock.monotonic()))
        except subprocess.TimeoutExpired:
            # A job in the middle is not lost: its lease runs out and the next worker goes on.
            _signal_group(process, signal.SIGKILL)
            process.wait()


def _signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        process.poll()
