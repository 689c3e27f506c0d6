"""A process that is told to stop hears it, wherever its main thread is just then."""

import os
import signal
import subprocess
import sys
import time

import pytest

from headshotly.frontdoor.stopping import Stopping
from headshotly.frontdoor.supervisor import _die_with

# Signals come every fifth of a millisecond while the main thread goes in and out of its wait.
_SHOWER = """
import signal, time
from headshotly.frontdoor.stopping import Stopping
stopping, until = Stopping().on([signal.SIGALRM]), time.monotonic() + 1
signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
while time.monotonic() < until:
    stopping._told = False
    stopping.wait(0.00005)
signal.setitimer(signal.ITIMER_REAL, 0, 0)
print(stopping.wait(5))
"""


def test_a_shower_of_signals_never_stops_the_one_who_waits() -> None:
    ran = subprocess.run([sys.executable, "-c", _SHOWER], capture_output=True, text=True, timeout=30, check=True)
    assert ran.stdout.strip() in {"True", "False"}, ran.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_wait_at_once(number) -> None:
    before = signal.getsignal(number)
    try:
        stopping = Stopping().on()
        assert not stopping.wait(0.01)
        os.kill(os.getpid(), number)
        began = time.monotonic()
        assert stopping.wait(30)
        assert time.monotonic() - began < 10
        assert stopping.is_told()
        for _ in range(100_000):  # more than the pipe holds
            stopping.tell()
    finally:
        signal.signal(number, before)


def test_a_child_whose_parent_is_gone_already_ends_itself() -> None:
    child = os.fork()
    if child == 0:
        _die_with(1 << 22)  # nobody's number
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
