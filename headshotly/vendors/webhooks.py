"""Small messages to a chat or pager of the house's choosing: the one seam for them (Slack, Teams, PagerDuty).

An address from the configuration is still only an address: it is spoken to by HTTPS alone, never at an address inside
our own network, never through a redirect, and its answer is read no further than its status.
"""

import ipaddress
import json
import os
import secrets
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

import urllib3

from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.vendors import closures

SECONDS = 5.0
BYTES_MAX = 64 * 1024
_FINE = range(200, 300)
_HTTPS = 443
type Resolve = Callable[[str, int], list[str]]
# Asked before anything leaves, with the host's name; raises a ``Refusal`` where its vendor's door is shut.
type Gate = Callable[[str], None]
_GATES: list[Gate] = []


class NotPosted(Refusal):
    """The message could not be handed over; trying again is safe."""

    code = "webhook.not_posted"
    status = 503


class AddressRefused(Refusal):
    """The address is none that messages are ever sent to."""

    code = "webhook.address"
    status = 422


def gate_through(gate: Gate) -> None:
    """Have every message ask first whether it may leave; the vendors' register fills this in."""
    if gate not in _GATES:
        _GATES.append(gate)


class Poster(Protocol):
    """Hands one JSON message over."""

    def post(self, url: str, document: dict[str, Any], *, once: UUID) -> None:
        """Hand it over, or raise ``NotPosted`` or ``AddressRefused``."""


def _checked(url: str) -> tuple[str, int, str]:
    """Return host, port and path of an address that may be spoken to.

    Raises:
        AddressRefused: it is not HTTPS, names somebody to sign in as, or no host.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _HTTPS
    except ValueError:
        raise AddressRefused("The address of the chat or pager cannot be read.") from None
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password or parts.fragment:
        raise AddressRefused("The address of the chat or pager must begin with https:// and name a host.")
    path = parts.path or "/"
    return parts.hostname, port, f"{path}?{parts.query}" if parts.query else path


def _body(document: dict[str, Any]) -> bytes:
    body = json.dumps(document, ensure_ascii=False).encode()
    if len(body) > BYTES_MAX:
        raise NotPosted("The message is too long to be sent.")
    return body


class FolderPoster:
    """Writes each message as a file: the local default, where nobody outside is spoken to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def post(self, url: str, document: dict[str, Any], *, once: UUID) -> None:
        """Write the message; a crash leaves a hidden scratch file or the whole message."""
        host, _, _ = _checked(url)
        body = _body({"to": host, "at": clock.now().isoformat(), "message": document})
        scratch = self._folder / f".{secrets.token_hex(8)}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(body)
            scratch.replace(self._folder / f"{once}.json")
        except OSError as error:
            scratch.unlink(missing_ok=True)
            raise NotPosted("The message could not be handed over.") from error


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotPosted("The chat or pager was not found.") from error
    return [str(one[4][0]) for one in found]


class HttpsPoster:
    """Speaks HTTPS to one public address: looked up once, judged, and connected to as judged.

    Looking up again between judging and connecting would let a name change its mind, so the connection goes to the very
    address that was judged, and the certificate must still be the name's.
    """

    def __init__(self, *, resolve: Resolve = _addresses, trust: ssl.SSLContext | None = None) -> None:
        self._resolve = resolve
        self._trust = trust or ssl.create_default_context()

    @staticmethod
    def permits(address: str) -> bool:
        """Say whether an address lies on the public internet: not private, loopback, link-local, shared or reserved."""
        found = ipaddress.ip_address(address.partition("%")[0])
        mapped = getattr(found, "ipv4_mapped", None)
        judged = mapped or found
        return judged.is_global and not judged.is_multicast

    @enforces("1.2.d")
    def post(self, url: str, document: dict[str, Any], *, once: UUID) -> None:
        """Post the message; one id is one message, also where it is handed over twice."""
        host, port, path = _checked(url)
        body = _body(document)
        addresses = self._resolve(host, port)
        if not addresses or not all(self.permits(one) for one in addresses):
            # One inside address among public ones is refused too: nobody needs such a name.
            raise AddressRefused("The chat or pager must be at a public address, and this one is not.")
        pool = urllib3.HTTPSConnectionPool(
            addresses[0],
            port,
            server_hostname=host,
            assert_hostname=host,
            ssl_context=self._trust,
            timeout=urllib3.Timeout(connect=SECONDS, read=SECONDS),
            maxsize=1,
            retries=False,
        )
        headers = {"Host": host if port == _HTTPS else f"{host}:{port}", "Content-Type": "application/json"}
        headers["Idempotency-Key"] = str(once)
        try:
            answer = pool.urlopen(
                "POST", path, body=body, headers=headers, redirect=False, preload_content=False, assert_same_host=False
            )
            status = answer.status
            answer.close()
        except urllib3.exceptions.HTTPError as error:
            raise NotPosted("The chat or pager did not answer.") from error
        finally:
            pool.close()
        if status not in _FINE:
            raise NotPosted(f"The chat or pager answered {status}.")


def _poster() -> Poster:
    here = configuration.current()
    if here.options.get("webhooks.outside", "no" if here.environment in {"local", "test"} else "yes") == "yes":
        return HttpsPoster()
    return FolderPoster(here.mail_folder / "webhooks")


@enforces("1.2.d", "9.1.b")
def post(url: str, document: dict[str, Any], *, once: UUID) -> None:
    """Hand one message over to a chat or pager.

    Options: ``webhooks.outside`` (yes or no); by default a local installation writes into the mail folder instead.

    Args:
        url: of the chat's or pager's webhook; its path is a secret and is logged nowhere.
        document: JSON; pseudonyms only.
        once: id of the message.

    Raises:
        AddressRefused: it is no public HTTPS address.
        NotPosted: it was not handed over.
        Refusal: the vendor's door is shut.
    """
    host, _, _ = _checked(url)
    closures.require_open(host)
    for gate in _GATES:
        gate(host)
    _poster().post(url, document, once=once)
