"""Being told to stop by a signal, and waiting until then.

``threading.Event`` does not serve: a handler runs in the middle of whatever the main thread does, and if that is just
then inside ``wait``, holding the event's lock, ``set`` waits for the lock for ever. A byte in a pipe needs no lock.
"""

import contextlib
import os
import select
import signal
from collections.abc import Iterable

_ASKED_TO_END = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Whether this process was told to stop. Its two descriptors live as long as it does."""

    def __init__(self) -> None:
        """Begin untold."""
        self._told = False
        self._heard, self._say = os.pipe()
        os.set_blocking(self._say, False)

    def on(self, numbers: Iterable[int] = _ASKED_TO_END) -> "Stopping":
        """Listen to signals, and return itself; call it in the main thread.

        Args:
            numbers: of the signals; what Ctrl-C and a supervisor send by default.
        """
        for number in numbers:
            signal.signal(number, lambda *_: self.tell())
        return self

    def tell(self) -> None:
        """Say that it is time; may be called from a handler and any number of times."""
        self._told = True
        with contextlib.suppress(BlockingIOError):  # the pipe is full of the same word
            os.write(self._say, b".")

    def is_told(self) -> bool:
        """Return whether it is time to stop."""
        return self._told

    def wait(self, seconds: float) -> bool:
        """Wait until it is time to stop, no longer than so many seconds; return whether it is time."""
        if not self._told:
            select.select([self._heard], [], [], seconds)
        return self._told

    def __del__(self) -> None:
        """Close both ends."""
        for end in (self._heard, self._say):
            with contextlib.suppress(OSError):
                os.close(end)
