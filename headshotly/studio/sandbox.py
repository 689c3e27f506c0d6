"""The parent's side of the sandbox: starts the zygote, hands pictures in, takes pixels out, survives everything."""

import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from headshotly.policy.enforcement import enforces
from headshotly.studio.errors import StudioBusy
from headshotly.studio.zygote import ANSWER, REQUEST, WALL_SECONDS

_START_SECONDS = 30.0
_QUEUE_SECONDS = 30.0
_logger = logging.getLogger(__name__)


class SandboxDied(Exception):
    """The decoder ended without an answer: out of memory, out of time, or crashed by its input."""


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

    def decode(self, data: bytes, *, pixels_max: int) -> tuple[int, tuple[int, int], bytearray]:
        """Return outcome, size and pixels; see ``raster.decode``.

        Raises:
            StudioBusy: every place was taken for too long.
            SandboxDied: the decoder ended without an answer.
        """
        with self._place():
            ours, theirs = socket.socketpair()
            with ours:
                with theirs:
                    self._hand_over(theirs)
                ours.settimeout(WALL_SECONDS + 5)
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
            for attempt in (1, 2):
                if self._control is None or self._process is None or self._process.poll() is not None:
                    self._start()
                try:
                    if self._control is not None:
                        socket.send_fds(self._control, [b"x"], [connection.fileno()])
                        return
                except OSError:
                    self._stop()
                    if attempt == 2:  # noqa: PLR2004 - the second and last attempt
                        raise SandboxDied from None

    def _start(self) -> None:
        self._stop()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", "headshotly.studio.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={},
                start_new_session=True,
            )
        ours.settimeout(_START_SECONDS)
        with suppress(OSError):
            ready = ours.recv(1)
            if ready == b"\x01" or (ready == b"\x00" and not self._filter_required):
                if ready == b"\x00":
                    _logger.warning("this system has no seccomp: pictures are decoded under resource limits only")
                self._control = ours
                return
        ours.close()
        self._stop()
        raise SandboxDied

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


def _exchange(connection: socket.socket, data: bytes, pixels_max: int) -> tuple[int, tuple[int, int], bytearray]:
    try:
        # A decoder that died early closes the socket; its answer, if any, is still there to read.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(REQUEST.pack(pixels_max, len(data)))
            connection.sendall(data)
        outcome, width, height, length = ANSWER.unpack(_receive(connection, ANSWER.size))
        return outcome, (width, height), _receive(connection, length)
    except (OSError, EOFError) as error:
        raise SandboxDied from error


def _receive(connection: socket.socket, length: int) -> bytearray:
    data = bytearray(length)
    view, filled = memoryview(data), 0
    while filled < length:
        count = connection.recv_into(view[filled:])
        if not count:
            raise EOFError
        filled += count
    return data
