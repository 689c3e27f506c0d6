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

from headshotly.studio import confinement, raster

MEMORY_BYTES = 2 << 30
CPU_SECONDS = 20
WALL_SECONDS = 30
REQUEST = struct.Struct("!QQ")  # pixels allowed, bytes that follow
ANSWER = struct.Struct("!BIIQ")  # outcome, width, height, bytes that follow


def serve(control: socket.socket) -> None:
    """Fork a decoder for each socket received, until the parent is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    control.sendall(b"\x01" if confinement.can_filter() else b"\x00")
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not descriptors:
            return
        if os.fork() == 0:
            control.close()
            _decode_one(socket.socket(fileno=descriptors[0]))
        os.close(descriptors[0])


def _decode_one(connection: socket.socket) -> None:
    """Serve one request and end the process, whatever happens."""
    code = 1
    try:
        signal.alarm(WALL_SECONDS)
        confinement.limit(memory_bytes=MEMORY_BYTES, cpu_seconds=CPU_SECONDS)
        if confinement.can_filter():
            confinement.confine()
        pixels_max, length = REQUEST.unpack(_receive(connection, REQUEST.size))
        outcome, (width, height), pixels = raster.decode(_receive(connection, length), pixels_max=pixels_max)
        connection.sendall(ANSWER.pack(outcome, width, height, len(pixels)))
        connection.sendall(pixels)
        code = 0
    except (OSError, MemoryError, EOFError):
        code = 1
    finally:
        os._exit(code)


def _receive(connection: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        piece = connection.recv(min(1 << 20, length - len(data)))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


if __name__ == "__main__":
    raster.prepare()
    with suppress(OSError, KeyboardInterrupt):
        serve(socket.socket(fileno=int(sys.argv[1])))
