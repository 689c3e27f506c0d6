"""A real S3 server on this machine for the suites of the stores: rclone, with keys that it checks."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.local_server import free_port, listening

ACCESS_KEY, SECRET_KEY = "test-access", "test-secret"


@contextmanager
def running(folder: Path, *buckets: str, tls: tuple[Path, Path] | None = None) -> Iterator[str]:
    """Serve these buckets out of a folder, over TLS where a certificate and key of ``localhost`` are given."""
    for bucket in buckets:
        (folder / bucket).mkdir()
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("rclone")), "serve", "s3", str(folder),
        "--addr", f"127.0.0.1:{port}", "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--vfs-cache-mode", "off",
    ]  # fmt: skip
    if tls is not None:
        command += ["--cert", str(tls[0]), "--key", str(tls[1])]
    with listening(command, port, name="S3"):
        yield f"http://127.0.0.1:{port}" if tls is None else f"https://localhost:{port}"
