"""Finding the running service and talking to it as a stranger would; where none listens, one is started for the run.

What a scratch service shows is marked as emulated: it is the same code on another port, not the one people use.
"""

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from headshotly.policy import configuration
from headshotly.policy.configuration import Configuration
from headshotly.policy.refusal import Refusal
from headshotly.proof.scene import Answer
from headshotly.vendors import gate

_SECONDS = 30.0  # the first page of a service that just started takes long on a busy machine
_LOOK_SECONDS = 3.0
_LARGEST = 8 << 20


class ServiceMissing(Refusal):
    """Nothing answers where the service should be."""

    code = "proof.service_missing"
    status = 503


@dataclass(frozen=True, slots=True)
class Listening:
    """A service that listens; see ``scene.Service``.

    Attributes:
        trusted: certificate (PEM) the service must show; None where the system's authorities vouch for it.
    """

    host: str
    port: int
    plain_port: int
    trusted: Path | None
    emulated: bool = False
    note: str = ""

    def open_the_way(self) -> None:
        """Let this process speak to our own public address; on this machine nothing needs opening."""
        if self.trusted is None:
            gate.to_ourselves()

    def context(self) -> ssl.SSLContext:
        """Return a context that verifies the service's certificate."""
        return ssl.create_default_context(cafile=str(self.trusted) if self.trusted else None)

    def fetch(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a GET over TLS.

        Raises:
            OSError: it did not answer, or its certificate is not the expected one.
        """
        self.open_the_way()
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=_SECONDS, context=self.context())
        return _get(connection, path, headers)

    def fetch_plain(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a GET over plain HTTP.

        Raises:
            OSError: it did not answer.
        """
        self.open_the_way()
        return _get(http.client.HTTPConnection(self.host, self.plain_port, timeout=_SECONDS), path, headers)


def _get(connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str] | None) -> Answer:
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        found = tuple((name.lower(), value) for name, value in answer.getheaders())
        return Answer(answer.status, found, answer.read(_LARGEST))
    except http.client.HTTPException as error:
        raise OSError(f"the service gave no HTTP answer ({type(error).__name__})") from error
    finally:
        connection.close()


def live(here: Configuration) -> Listening:
    """Return where the service of an installation should be found: at home on this machine, else at its address."""
    if here.environment in {"local", "test"}:
        return Listening("127.0.0.1", here.https_port, here.http_port, here.data_folder / "tls" / "certificate.pem")
    parts = urlsplit(here.public_url)
    return Listening(parts.hostname or "localhost", parts.port or 443, 80, None)


def why_not(place: Listening) -> str:
    """Return why the service cannot be met at a place, in words; empty where it can."""
    if place.trusted is not None and not place.trusted.exists():
        return "no service ever ran on this data folder"
    place.open_the_way()
    try:
        with (
            socket.create_connection((place.host, place.port), timeout=_LOOK_SECONDS) as plain,
            place.context().wrap_socket(plain, server_hostname=place.host),
        ):
            return ""
    except ssl.SSLError:
        return f"another program answers on port {place.port}"
    except OSError:
        return f"no service is listening on port {place.port}"


class Remembered:
    """A service whose answers are remembered for one run: several checks read the same pages."""

    def __init__(self, place: Listening) -> None:
        self._place = place
        self._answers: dict[tuple[str, frozenset[tuple[str, str]]], Answer] = {}
        self.emulated, self.note = place.emulated, place.note
        self.host, self.port, self.plain_port = place.host, place.port, place.plain_port

    def fetch(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a GET over TLS; raises as ``Listening.fetch`` does."""
        asked = (path, frozenset((headers or {}).items()))
        if asked not in self._answers:
            self._answers[asked] = self._place.fetch(path, headers)
        return self._answers[asked]

    def fetch_plain(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a GET over plain HTTP; raises as ``Listening.fetch_plain`` does."""
        return self._place.fetch_plain(path, headers)


type Scratch = Callable[[], AbstractContextManager[tuple[int, int, Path]]]
_scratch: list[Scratch] = []


def start_scratch_with(start: Scratch) -> None:
    """Take what starts a service on free ports for a run; the front door hands it in."""
    _scratch[:] = [start]


class Finder:
    """Finds the service once a run; closing it ends what was started."""

    def __init__(self, here: Configuration | None = None) -> None:
        self._here = here or configuration.current()
        self._found: Remembered | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __call__(self) -> "Remembered":
        """Return the running service.

        Raises:
            ServiceMissing: nothing answers, and in production or staging nothing may stand in for it.
        """
        if self._found is None:
            place = live(self._here)
            missing = why_not(place)
            self._found = Remembered(self._stand_in(missing) if missing else place)
        return self._found

    def _stand_in(self, missing: str) -> Listening:
        if self._here.environment not in {"local", "test"} or not _scratch:
            raise ServiceMissing(f"{missing[0].upper()}{missing[1:]}.")
        port, plain_port, trusted = self._stack.enter_context(_scratch[0]())
        note = f"seen at a scratch listener of the same code, because {missing}"
        return Listening("127.0.0.1", port, plain_port, trusted, emulated=True, note=note)
