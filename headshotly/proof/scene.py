"""What a check may look at: the running service, as anybody meets it, and the configuration it runs under."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from headshotly.policy import clock, configuration
from headshotly.policy.configuration import Configuration
from headshotly.proof.findings import Environment


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered.

    Attributes:
        status: HTTP status.
        headers: names in lower case; several of one name are separate entries.
        body: bytes of the content.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the first header of a name, empty where there is none."""
        return next((value for key, value in self.headers if key == name.lower()), "")

    def all(self, name: str) -> list[str]:
        """Return every header of a name."""
        return [value for key, value in self.headers if key == name.lower()]

    @property
    def text(self) -> str:
        """Return the content as text."""
        return self.body.decode("utf-8", errors="replace")


class Service(Protocol):
    """The running service as a stranger meets it."""

    @property
    def emulated(self) -> bool:
        """It was started for the check only, because no service was listening."""

    @property
    def note(self) -> str:
        """Says so in words; empty where it is the live one."""

    @property
    def host(self) -> str:
        """Where it listens."""

    @property
    def port(self) -> int:
        """Of TLS."""

    @property
    def plain_port(self) -> int:
        """Of plain HTTP."""

    def fetch(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a GET over TLS; redirects are not followed."""

    def fetch_plain(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a GET over plain HTTP."""


def environment_of(here: Configuration) -> Environment:
    """Return where an installation's evidence is seen: a local or test one stands in for the real thing."""
    match here.environment:
        case "production":
            return Environment.PRODUCTION
        case "staging":
            return Environment.STAGING
        case _:
            return Environment.EMULATED


@dataclass(frozen=True, slots=True)
class Scene:
    """One run's view of the installation.

    Attributes:
        find_service: finds the running service, or starts one for the run; asked once a run.
        here: the configuration.
    """

    find_service: Callable[[], Service]
    here: Configuration = field(default_factory=configuration.current)

    @property
    def service(self) -> Service:
        """Return the running service.

        Raises:
            ServiceMissing: none is listening and none could be started.
        """
        return self.find_service()

    @property
    def now(self) -> dt.datetime:
        """Return this moment; aware UTC."""
        return clock.now()

    @property
    def environment(self) -> Environment:
        """Return where this is."""
        return environment_of(self.here)


def said(sentence: str, service: Service) -> str:
    """Return a sentence that says where it was seen, where that is not the live service."""
    return f"{sentence.rstrip('.')} ({service.note})." if service.note else sentence
