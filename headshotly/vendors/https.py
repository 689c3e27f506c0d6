"""The HTTP client: HTTPS to one public address, through the gate, without redirects and with bounds on everything.

A name is looked up once, judged, and connected to as judged; the certificate must still be the name's. Looking it up
again in between would let it change its mind (DNS rebinding).
"""

import contextlib
import http.client
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import urllib3
from urllib3.util.ssl_match_hostname import CertificateError

from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.vendors import gate, way_out

CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0
WHOLE_SECONDS = 20.0  # once connected, for question and answer together, however steadily the other side trickles
BODY_BYTES_MAX = 256 * 1024
ANSWER_BYTES_MAX = 1024 * 1024
_HTTPS = 443
type Resolve = Callable[[str, int], list[str]]


class AddressRefused(Refusal):
    """The address is none that is ever spoken to."""

    code = "https.address"
    status = 422


class NoAnswer(Refusal):
    """The other side did not answer; whether it got the message is not known."""

    code = "https.no_answer"
    status = 503


@dataclass(frozen=True, slots=True)
class Address:
    """An https address, taken apart."""

    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, and of the body no more than was wanted."""

    status: int
    body: bytes


def address_of(url: str) -> Address:
    """Take an address apart.

    Raises:
        AddressRefused: it is not https, names somebody to sign in as, has a fragment, or names no host by name.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _HTTPS
    except ValueError:
        raise AddressRefused("This address cannot be read.") from None
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https" or not host or parts.username or parts.password or parts.fragment:
        raise AddressRefused("The address must begin with https:// and name a host.")
    if any(ord(character) <= ord(" ") or ord(character) > ord("~") for character in url) or "\\" in url:
        raise AddressRefused("The address holds characters that no address has.")
    try:
        socket.inet_aton(host)
    except OSError:
        pass
    else:
        raise AddressRefused("The address must name a host, not a number.")
    if ":" in host or "." not in host:
        raise AddressRefused("The address must name a host on the internet.")
    path = parts.path or "/"
    return Address(host.lower(), port, f"{path}?{parts.query}" if parts.query else path)


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NoAnswer("The host was not found.") from error
    return [str(one[4][0]) for one in found]


@enforces("1.2.d", "3.1.a")
def request(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    carries: Iterable[str] = (),
    cannot_wait: bool = False,
    routine: bool = False,
    about: UUID | None = None,
    at_request_of: UUID | None = None,
    answer_bytes_max: int | None = None,
    resolve: Resolve = _resolve,
    trust: ssl.SSLContext | None = None,
) -> Answer:
    """Speak to one https address.

    Args:
        method: such as ``POST``.
        url: where.
        body: at most 256 KiB.
        headers: more headers.
        carries: kinds of personal data in it (``categories``).
        cannot_wait: goes through a degraded vendor too.
        routine: goes there all the time (``gate.require``).
        about: pseudonym of the data subject concerned.
        at_request_of: the customer who named the address themselves; it then need be no vendor's.
        answer_bytes_max: of the answer's body no more is read, a mebibyte by default; with 0 only the status is waited
            for.
        resolve: looks a name up; for tests.
        trust: whom to believe; the system's authorities by default.

    Raises:
        AddressRefused: it is no address that is ever spoken to, or leads inside a network.
        EgressRefused: the gate does not open for it.
        NoAnswer: nothing came back in time.
    """
    if len(body) > BODY_BYTES_MAX:
        raise AddressRefused("The message is too long to be sent.")
    where = address_of(url)
    if at_request_of is not None:
        gate.at_request(where.host, about=at_request_of)
    else:
        gate.require(where.host, carries=carries, cannot_wait=cannot_wait, routine=routine, about=about)
    addresses = resolve(where.host, where.port)
    # One inside address among public ones is refused too: nobody needs such a name.
    if not addresses or not all(way_out.is_public(one) for one in addresses):
        raise AddressRefused("The address must lie on the public internet, and this one does not.")
    most = ANSWER_BYTES_MAX if answer_bytes_max is None else answer_bytes_max
    return _speak(method, where, addresses[0], body=body, headers=dict(headers or {}), most=most, trust=trust)


def post_here(url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Post to a program on this machine, which is no vendor: nothing leaves.

    Args:
        url: ``http`` or ``https``, at a loopback address.
        body: sent as it is.
        headers: sent as they are.

    Raises:
        AddressRefused: the address is not of this machine.
        NoAnswer: nothing came back in time.
    """
    if (urlsplit(url).hostname or "") not in way_out.LOOPBACK:
        raise AddressRefused("The address must be of this machine.")
    with urllib3.PoolManager(timeout=READ_SECONDS, retries=False) as pool:
        try:
            answer = pool.request("POST", url, body=body, headers=dict(headers), redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswer("The other side did not answer.") from error
    return Answer(answer.status, answer.data[:ANSWER_BYTES_MAX])


def _speak(
    method: str,
    where: Address,
    address: str,
    *,
    body: bytes,
    headers: dict[str, str],
    most: int,
    trust: ssl.SSLContext | None,
) -> Answer:
    connection = urllib3.connection.HTTPSConnection(
        address,
        where.port,
        server_hostname=where.host,
        assert_hostname=where.host,
        ssl_context=trust or modern_tls(),
        timeout=CONNECT_SECONDS,
    )
    headers["Host"] = where.host if where.port == _HTTPS else f"{where.host}:{where.port}"
    try:
        connection.connect()
        connection.timeout = READ_SECONDS
        with _leash(connection.sock) as cut:
            connection.request(method, where.path, body=body, headers=headers, preload_content=False)
            answer = connection.getresponse()
            read = (answer.read(most) or b"") if most else b""
            answer.close()
        if cut.is_set():  # the library takes a line that is cut for one that ended
            raise NoAnswer("The other side did not come to an end.")
    except (urllib3.exceptions.HTTPError, CertificateError, http.client.HTTPException, OSError) as error:
        raise NoAnswer("The other side did not answer.") from error
    finally:
        connection.close()
    return Answer(answer.status, read)


@contextlib.contextmanager
def _leash(line: socket.socket) -> Iterator[threading.Event]:
    """Cut a connection off once its time is over: a socket's own timeout begins anew with every byte that comes."""
    own, is_cut = socket.socket(fileno=os.dup(line.fileno())), threading.Event()

    def cut() -> None:
        is_cut.set()
        with contextlib.suppress(OSError):  # it ended by itself
            own.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(WHOLE_SECONDS, cut)
    timer.daemon = True
    timer.start()
    try:
        yield is_cut
    finally:
        timer.cancel()
        own.close()


def modern_tls() -> ssl.SSLContext:
    """Return a context that verifies the other side and speaks TLS 1.2 or higher."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
