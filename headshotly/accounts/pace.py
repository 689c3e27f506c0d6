"""Answers that take the same time whether or not there is something to find."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from headshotly.policy import clock

STEADY_SECONDS = 0.8  # longer than opening an account takes, key, row and mail included


@contextmanager
def steady() -> Iterator[None]:
    """Let the block end no sooner than ``STEADY_SECONDS`` after it began, also when it refuses."""
    began = clock.monotonic()
    try:
        yield
    finally:
        time.sleep(max(0.0, began + STEADY_SECONDS - clock.monotonic()))
