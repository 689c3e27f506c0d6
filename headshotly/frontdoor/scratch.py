"""A service on free ports for the length of a check: the same commands, code and data folder, another port."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headshotly.frontdoor.supervisor import Child, end_all
from headshotly.policy import clock, configuration
from headshotly.proof.service import Listening, ServiceMissing, why_not

_READY_SECONDS = 25.0
_LOOK_SECONDS = 0.1


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def scratch_service() -> Iterator[tuple[int, int, Path]]:
    """Run web server and redirector on free ports, and end them afterwards.

    Yields:
        Port of TLS, port of plain HTTP, and the certificate to expect.

    Raises:
        ServiceMissing: it did not come up in time.
    """
    port, plain_port = _free_port(), _free_port()
    children = [
        Child("web server", ["serve", "web", "--port", str(port), "--processes", "1"]),
        Child("redirector", ["serve", "redirect", "--port", str(plain_port)]),
    ]
    try:
        for child in children:
            child.start()
        certificate = configuration.current().data_folder / "tls" / "certificate.pem"
        _wait_for(port, plain_port, certificate, children)
        yield port, plain_port, certificate
    finally:
        end_all(children)


def _wait_for(port: int, plain_port: int, certificate: Path, children: list[Child]) -> None:
    deadline = clock.monotonic() + _READY_SECONDS
    while clock.monotonic() < deadline:
        if not why_not(Listening("127.0.0.1", port, plain_port, certificate)) and _accepts(plain_port):
            return
        for child in children:
            if child.process is not None:
                try:
                    child.process.wait(timeout=_LOOK_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
                raise ServiceMissing(f"The {child.name} started for this check ended at once.")
    raise ServiceMissing("The service started for this check did not answer in time.")


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
