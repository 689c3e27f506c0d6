"""What is loaded is out of the garbage collector's sight; what comes and goes afterwards is not."""

import gc
import subprocess
import sys
import weakref

from headshotly.frontdoor import loaded

_PROGRAM = """
import gc, sys
sys.path[:0] = {path!r}
import django
from headshotly.frontdoor import loaded
before = len(gc.get_objects())
loaded.leave_to_itself()
print(before, gc.get_freeze_count(), len(gc.get_objects()))
"""


class _Ring:
    def __init__(self) -> None:
        self.itself = self


def test_what_was_there_is_not_looked_at_again() -> None:
    told = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(path=sys.path)], capture_output=True, text=True, check=True
    )
    before, frozen, left = map(int, told.stdout.split())
    assert frozen > before * 0.9
    assert left < before * 0.1


def test_a_ring_that_was_dropped_before_or_after_goes() -> None:
    try:
        dropped = weakref.ref(_Ring())
        loaded.leave_to_itself()
        assert dropped() is None
        dropped = weakref.ref(_Ring())
        gc.collect()
        assert dropped() is None
    finally:
        gc.unfreeze()
