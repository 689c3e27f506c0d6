"""A real S3 server on this machine for the suites of the stores: rclone, with keys that it checks."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.local_server import free_port, listening

ACCESS_KEY, SECRET_KEY = "test-access", "test-secret"


@contextmanager
def running(folder: Path, *buckets: str) -> Iterator[str]:
    """Serve these buckets out of a folder, and give the address."""
    for bucket in buckets:
        (folder / bucket).mkdir()
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("rclone")), "serve", "s3", str(folder),
        "--addr", f"127.0.0.1:{port}", "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--vfs-cache-mode", "off",
    ]  # fmt: skip
    with listening(command, port, name="S3"):
        yield f"http://127.0.0.1:{port}"
