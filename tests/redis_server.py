"""A real Redis server on this machine, from Debian's package, for the suites of the queue."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.local_server import free_port, listening


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Serve from an empty folder, keeping nothing on disk, and give the address."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    assert program, "there is no redis-server (Debian: apt-get install redis-server)"
    port = free_port()
    command = [
        program,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        str(folder),
    ]
    with listening(command, port, name="Redis"):
        yield f"redis://127.0.0.1:{port}/0"
