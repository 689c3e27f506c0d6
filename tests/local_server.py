"""A server of somebody else's on this machine, started for a test and ended with it."""

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def listening(command: Sequence[str], port: int, *, name: str) -> Iterator[None]:
    """Run a server until its port answers, and end it afterwards."""
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert server.poll() is None, f"the {name} server did not start"
                assert time.monotonic() < deadline, f"the {name} server does not answer"
                time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.wait(10)
