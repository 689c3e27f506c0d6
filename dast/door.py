"""A door to the service through which somebody is always signed in, whatever was ended a moment ago.

A scanner attacks what ends the account or the session it looks through: deleting, signing out, revoking. It asks this
door instead of the service. The door passes on what it is asked under the present account; where the service says that
this account is signed in no more, it takes the next one, made for it, and asks again.
"""

import http.client
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from dast.results import ScanFailed
from dast.serving import Service

MARK = "whoever-is-behind-the-door"  # what a scanner shows as its token; the door puts the account's in its place
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-encoding", "content-length", "host", "cookie", "date",
        "server", "set-cookie", "strict-transport-security", "accept-encoding"}  # fmt: skip
# One for all accounts, so that a form taken under one can be sent under the next: whoever browses chooses it (Django).
_CSRF, _SECRET = "__Host-csrf", "scan" * 8  # pragma: allowlist secret


_ELSEWHERE = range(300, 400)
_SIGN_OUT = "/sign-out/"  # leads to where one signs in, as it should


@dataclass(frozen=True, slots=True)
class Account:
    """Who is signed in.

    Attributes:
        cookies: of the session.
        token: of a program; empty where there is none.
    """

    cookies: Mapping[str, str]
    token: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header, empty where there is none."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")


@dataclass(slots=True)
class Door:
    """What runs.

    Attributes:
        service: that it leads to.
        following: signs the next account in.
        trust: whom to believe that it is the service.
        url: of the door.
        ended: how many accounts or sessions were ended through it.
        failed: why it could not go on; nothing was seen from then on.
    """

    service: Service
    following: Callable[[], Account]
    trust: ssl.SSLContext
    url: str
    ended: int = 0
    failed: str = ""
    _present: Account | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def present(self, worn: Account | None = None) -> Account:
        """Return who is signed in; ``worn``: not this one, who is no more.

        Raises:
            ScanFailed: nobody is left.
        """
        with self._lock:
            if self._present is None or self._present is worn:
                self.ended += worn is not None
                self._present = self.following()
            return self._present

    def ask(self, asked: Asked) -> Answer:
        """Pass a request on; where the service says that nobody is signed in, as the next account, once.

        Raises:
            ScanFailed: nobody is left, or the service does not answer.
        """
        account = self.present()
        answer = self._send(asked, account)
        if _is_out(answer, asked) and not asked.path.endswith(_SIGN_OUT):
            answer = self._send(asked, self.present(worn=account))
        return answer

    def _send(self, asked: Asked, account: Account) -> Answer:
        line = http.client.HTTPSConnection(urlsplit(self.service.url).netloc, timeout=30, context=self.trust)
        try:
            line.putrequest(asked.method, asked.path, skip_accept_encoding=True)
            for name, value in self._dressed(asked.headers, account):
                line.putheader(name, value.encode("latin-1"))
            if asked.body or asked.method in {"POST", "PUT", "PATCH"}:
                line.putheader("Content-Length", str(len(asked.body)))
            line.endheaders(asked.body or None)
            got = line.getresponse()
            return Answer(got.status, got.getheaders(), got.read())
        except (OSError, http.client.HTTPException) as error:
            raise ScanFailed(f"The service did not answer the door: {asked.method} {asked.path}: {error!r}.") from error
        finally:
            line.close()

    def _dressed(self, headers: Mapping[str, str], account: Account) -> list[tuple[str, str]]:
        """Return the headers of a request as the service is to see them."""
        here = self.service.url
        sent = {name: value.replace(self.url, here) for name, value in headers.items() if name.lower() not in _HOP}
        if sent.get("Authorization") == f"Bearer {MARK}":
            sent["Authorization"] = f"Bearer {account.token}"
        given = {name: one.value for name, one in SimpleCookie(headers.get("Cookie", "")).items()}
        cookies = given | dict(account.cookies) | {_CSRF: _SECRET}
        if account.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return list(sent.items())


def _is_out(answer: Answer, asked: Asked) -> bool:
    """Say whether an answer means that whoever asked is signed in no more."""
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return asked.headers.get("Authorization") == f"Bearer {MARK}"
    return answer.status in _ELSEWHERE and "/sign-in/" in answer.header("Location").partition("?")[0]


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"
    timeout = 20

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            answer = self.server.door.ask(Asked(self.command, self.path, dict(self.headers), body))
        except ScanFailed as failure:
            self.server.door.failed = str(failure)
            self.send_error(HTTPStatus.GATEWAY_TIMEOUT)
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in _HOP:
                self.send_header(name, value.replace(self.server.door.service.url, self.server.door.url))
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def __getattr__(self, name: str) -> Any:
        """Pass every method on, also those that HTTP does not know."""
        if name.startswith("do_"):
            return self._any
        raise AttributeError(name)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    door: Door

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing where a scanner broke off; remember anything else."""
        del request, client_address
        if not isinstance(error := sys.exception(), OSError):
            self.door.failed = f"The door broke: {error!r}"


@contextmanager
def opened(service: Service, following: Callable[[], Account]) -> Iterator[Door]:
    """Open a door on a free port of this machine.

    Args:
        service: that it leads to.
        following: signs the next account in.

    Raises:
        ScanFailed: the door could not go on at some moment, so that what was seen through it says nothing.
    """
    server = _Server(("127.0.0.1", 0), _Handler)
    trust = ssl.create_default_context(cafile=str(service.authority))
    server.door = Door(service, following, trust, f"http://localhost:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.door
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    if server.door.failed:
        raise ScanFailed(server.door.failed)
