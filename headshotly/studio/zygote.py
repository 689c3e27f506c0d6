"""The process that decoders are forked from: everything loaded, nothing else in it.

Started by ``sandbox``. It receives one end of a socket for each picture, forks, and the child confines itself before
it reads the first byte. The zygote never reads a picture.
"""

import os
import signal
import socket
import struct
import sys
from contextlib import suppress

from headshotly.policy import clock
from headshotly.studio import confinement, raster

MEMORY_BYTES = 2 << 30
CPU_SECONDS = 20
WALL_SECONDS = 30
FILTERED, UNFILTERED = b"\x01", b"\x00"  # the zygote's first word: whether the filter was seen to hold
READY = b"r"  # a decoder's first word: confined, and nothing read yet
REQUEST = struct.Struct("!QQ")  # pixels allowed, bytes that follow
ANSWER = struct.Struct("!BIIQ")  # outcome, width, height, bytes that follow
_LOOK_SECONDS = 1.0


def serve(control: socket.socket) -> None:
    """Fork a decoder for each socket received, until the parent is gone; end those that take too long."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    filtered = _filter_holds()
    control.sendall(FILTERED if filtered else UNFILTERED)
    deadlines: dict[int, float] = {}
    try:
        while True:
            _reap(deadlines)
            control.settimeout(_LOOK_SECONDS if deadlines else None)
            try:
                _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            except TimeoutError:
                continue
            if not descriptors:
                return
            _start_decoder(control, descriptors[0], deadlines, filtered=filtered)
    finally:
        for child in deadlines:
            os.kill(child, signal.SIGKILL)


def _start_decoder(control: socket.socket, descriptor: int, deadlines: dict[int, float], *, filtered: bool) -> None:
    try:
        child = os.fork()
    except OSError:
        child = -1  # no room for a process: the closed socket tells the parent, who tries again
    if child == 0:
        control.close()
        _decode_one(socket.socket(fileno=descriptor), filtered=filtered)
    elif child > 0:
        deadlines[child] = clock.monotonic() + WALL_SECONDS
    os.close(descriptor)


def _reap(deadlines: dict[int, float]) -> None:
    """Forget the decoders that ended and kill those past their time. Nobody else waits for them, so an id is theirs."""
    for child, deadline in list(deadlines.items()):
        ended, _ = os.waitpid(child, os.WNOHANG)
        if ended:
            del deadlines[child]
        elif clock.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)


def _filter_holds() -> bool:
    """Show, rather than believe, that a process under the filter can open nothing."""
    if not confinement.can_filter():
        return False
    child = os.fork()
    if child == 0:
        code = 1
        try:
            confinement.confine()
            try:
                os.open(os.sep, os.O_RDONLY)
            except PermissionError:
                code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def _decode_one(connection: socket.socket, *, filtered: bool) -> None:
    """Serve one request and end the process, whatever happens."""
    code = 1
    try:
        confinement.die_with_parent()
        confinement.shut_all_but(connection.fileno())
        confinement.limit(memory_bytes=MEMORY_BYTES, cpu_seconds=CPU_SECONDS)
        if filtered:
            confinement.confine()
        connection.sendall(READY)
        pixels_max, length = REQUEST.unpack(_receive(connection, REQUEST.size))
        outcome, (width, height), picture = raster.read(_receive(connection, length), pixels_max=pixels_max)
        connection.sendall(ANSWER.pack(outcome, width, height, width * height * 3 if picture else 0))
        for strip in raster.strips(picture) if picture else ():
            connection.sendall(strip)
        code = 0
    except (OSError, MemoryError, EOFError):
        code = 1
    finally:
        os._exit(code)


def _receive(connection: socket.socket, length: int) -> bytes:
    data = bytearray(length)
    view, filled = memoryview(data), 0
    while filled < length:
        count = connection.recv_into(view[filled:])
        if not count:
            raise EOFError
        filled += count
    return bytes(data)


if __name__ == "__main__":
    raster.prepare()
    with suppress(OSError, KeyboardInterrupt):
        serve(socket.socket(fileno=int(sys.argv[1])))
