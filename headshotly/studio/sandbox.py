"""The parent's side of the sandbox: starts the zygote, hands pictures in, takes pixels out, survives everything."""

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.studio import raster
from headshotly.studio.errors import DecodingUnavailable, StudioBusy
from headshotly.studio.zygote import ANSWER, FILTERED, READY, REQUEST, UNFILTERED, WALL_SECONDS

type Pixels = NDArray[np.uint8]

# A decoder is gone after one picture, so its memory is new each time: in large pages, where the system has them. What
# is under 8 MiB comes from the heap, which lies on such pages; a mapping of its own often would not.
_LARGE_PIECES = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=8388608"
_START_SECONDS = 30.0
_QUEUE_SECONDS = 30.0
_ANSWER_SECONDS = WALL_SECONDS + 5.0
_ATTEMPTS, _PAUSE_SECONDS = 3, 0.1
_logger = logging.getLogger(__name__)


class SandboxDied(Exception):
    """The decoder read the picture and gave no answer, or none to believe: out of memory or time, or taken over."""


class _NotBegun(Exception):
    """The decoder ended before it read anything; the picture has nothing to do with it."""


_UNAVAILABLE = "Pictures cannot be read at the moment. Please try again in a few minutes."


@enforces("2.4.a")
class Sandbox:
    """Decodes hostile files at arm's length; safe to call from many threads.

    A decoder that dies takes nothing with it. A zygote that dies is started again for the next picture.
    """

    def __init__(self, *, at_once: int, filter_required: bool) -> None:
        """Take the limits; nothing is started before the first picture.

        Args:
            at_once: decoders alive at one moment.
            filter_required: refuse to work where the system has no seccomp.
        """
        self._places = threading.BoundedSemaphore(at_once)
        self._filter_required = filter_required
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def decode(self, data: bytes, *, pixels_max: int) -> tuple[int, tuple[int, int], Pixels]:
        """Return outcome, size and pixels; see ``raster.decode``.

        Raises:
            StudioBusy: every place was taken for too long.
            SandboxDied: the decoder ended without an answer.
            DecodingUnavailable: no decoder can be had on this system, or not now.
        """
        with self._place():
            for attempt in range(_ATTEMPTS):
                # A zygote that was just killed, or that found no room for a process, is given a moment.
                time.sleep(attempt * _PAUSE_SECONDS)
                try:
                    return self._decode_once(data, pixels_max)
                except _NotBegun:
                    _logger.warning("decoder.not-started", extra={"attempt": attempt + 1, "attempts": _ATTEMPTS})
            raise DecodingUnavailable(_UNAVAILABLE)

    def _decode_once(self, data: bytes, pixels_max: int) -> tuple[int, tuple[int, int], Pixels]:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._hand_over(theirs)
            try:
                _await_ready(ours)
            except TimeoutError as error:
                self.close()  # the zygote hangs; the next attempt starts another
                raise _NotBegun from error
            except (OSError, EOFError) as error:
                raise _NotBegun from error
            return _exchange(ours, data, pixels_max)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=_QUEUE_SECONDS):
            raise StudioBusy("Too many pictures are arriving at once. Please try again in a minute.")
        try:
            yield
        finally:
            self._places.release()

    def _hand_over(self, connection: socket.socket) -> None:
        """Give a socket to the zygote, starting it first, or again if it died in the meantime."""
        with self._lock:
            if self._control is None or self._process is None or self._process.poll() is not None:
                self._start()
            try:
                if self._control is not None:
                    socket.send_fds(self._control, [b"x"], [connection.fileno()])
            except OSError as error:
                self._stop()
                raise _NotBegun from error

    def _start(self) -> None:
        self._stop()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", "headshotly.studio.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={"GLIBC_TUNABLES": _LARGE_PIECES},
                start_new_session=True,
            )
        ours.settimeout(_START_SECONDS)
        try:
            first_word = ours.recv(1)
        except OSError:
            first_word = b""
        if first_word == FILTERED or (first_word == UNFILTERED and not self._filter_required):
            if first_word == UNFILTERED:
                # Pictures are then decoded under resource limits only.
                _logger.warning("seccomp.missing")
            self._control = ours
            return
        ours.close()
        self._stop()
        # The system lacks seccomp, which is required here, or the zygote did not start.
        _logger.error("decoding.unavailable", extra={"code": "seccomp.missing" if first_word else "zygote.not-started"})
        raise DecodingUnavailable(_UNAVAILABLE)

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End the zygote; the next picture starts a new one."""
        with self._lock:
            self._stop()


def _await_ready(connection: socket.socket) -> None:
    if _receive(connection, len(READY), until=clock.monotonic() + _START_SECONDS).tobytes() != READY:
        raise EOFError


def _exchange(connection: socket.socket, data: bytes, pixels_max: int) -> tuple[int, tuple[int, int], Pixels]:
    """Hand in the picture and take the pixels. The answer comes from a process that hostile input may own."""
    until = clock.monotonic() + _ANSWER_SECONDS
    try:
        connection.settimeout(_left(until))
        connection.sendall(REQUEST.pack(pixels_max, len(data)))
        connection.sendall(data)
        outcome, width, height, length = ANSWER.unpack(_receive(connection, ANSWER.size, until=until).data)
        if not _is_believable(outcome, width, height, length):
            raise SandboxDied
        return outcome, (width, height), _receive(connection, length, until=until)
    except (OSError, EOFError) as error:
        raise SandboxDied from error


def _is_believable(outcome: int, width: int, height: int, length: int) -> bool:
    """Say whether an answer's head is one that ``raster.decode`` can give; its length becomes memory of ours."""
    if outcome == raster.PICTURE:
        return 0 < min(width, height) <= max(width, height) <= raster.MASTER_SIDE and length == width * height * 3
    return outcome in raster.OUTCOMES and length == 0


def _left(until: float) -> float:
    """Return the seconds left until a deadline, never none: a socket takes 0 for "do not wait"."""
    return max(0.001, until - clock.monotonic())


def _receive(connection: socket.socket, length: int, *, until: float) -> Pixels:
    """Return so many bytes, all before the deadline: a peer that sends one now and then gains nothing."""
    # NumPy asks for large pages where it is worth it; a bytearray's would come one small page after the other.
    data = np.empty(length, np.uint8)
    view, filled = memoryview(data), 0
    while filled < length:
        if clock.monotonic() > until:
            raise TimeoutError
        connection.settimeout(_left(until))
        count = connection.recv_into(view[filled:])
        if not count:
            raise EOFError
        filled += count
    return data
