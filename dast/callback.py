"""The host that attacks want to be called back by: a listener of this machine, in place of one on the internet.

wapiti plants its address (``--endpoint``) wherever the service takes something, and asks it afterwards who called.
What the listener answers then is the protocol of wapiti's own endpoint, as its modules ``ssrf`` and ``xxe`` expect it.
Whatever else was asked of it is noted too: while the service is looked at, nobody but wapiti may ever call.
"""

import datetime as dt
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dast.results import Found

_ASKED_FOR = re.compile(r"^/get_(ssrf|xxe)\.php$")
_CALLED = re.compile(
    r"^/(?P<kind>ssrf|dtd|xxe)/(?P<session>\w+)/(?P<page>\d+)/(?P<parameter>[0-9a-f]+)/(?P<rest>[\w.]*)$"
)
# What wapiti's module ``file`` looks for in an answer: it was fetched from here.
INCLUDED = "w4p1t1_cleartext"
_DTD = """<!ENTITY % file "seen"><!ENTITY % intern "<!ENTITY &#37; trick SYSTEM '{url}?%file;'>">
<!ENTITY trick SYSTEM "{url}?seen">"""
_RULE = "call-back"


@dataclass(frozen=True, slots=True)
class Call:
    """One request that came in.

    Attributes:
        kind: ``ssrf``, ``dtd`` (a document type was fetched), ``xxe`` (and done as it says), or empty: something else.
        session: of the attack, as wapiti numbers it.
        page: number of the address attacked, as wapiti counts.
        parameter: name of what was attacked, in hexadecimal.
        method: of HTTP.
        path: as asked, with its query.
        at: when.
    """

    kind: str
    session: str
    page: str
    parameter: str
    method: str
    path: str
    at: str


@dataclass(slots=True)
class Listener:
    """What runs.

    Attributes:
        url: to be called at; ends with a slash.
        calls: who called, but for wapiti's own questions.
    """

    url: str
    calls: list[Call] = field(default_factory=list)

    def take(self, method: str, asked: str) -> tuple[str, str]:
        """Note a request and return the type and body it is answered with."""
        parts = urlsplit(asked)
        if question := _ASKED_FOR.match(parts.path):
            session = parse_qs(parts.query).get("session_id", [""])[0]
            return "application/json", json.dumps(self._who_called(question[1], session))
        if parts.path == "/" and method == "GET":  # wapiti looks whether somebody is there
            return "text/plain", "here"
        known = _CALLED.match(parts.path)
        named = known.groupdict() if known else dict.fromkeys(("kind", "session", "page", "parameter", "rest"), "")
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        self.calls.append(
            Call(named["kind"], named["session"], named["page"], named["parameter"], method, asked[:500], now)
        )
        if named["kind"] == "dtd":
            back = f"{self.url}xxe/{named['session']}/{named['page']}/{named['parameter']}/"
            return "application/xml-dtd", _DTD.format(url=f"{back}{named['rest'].removesuffix('.dtd')}")
        return "text/plain", INCLUDED

    def _who_called(self, what: str, session: str) -> dict[str, dict[str, list[dict[str, Any]]]]:
        said: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for call in list(self.calls):
            kinds = {"ssrf"} if what == "ssrf" else {"dtd", "xxe"}
            if call.kind in kinds and call.session == session:
                name = urlsplit(call.path).path.rpartition("/")[2].removesuffix(".dtd")
                told = {"date": call.at, "method": call.method, "ip": "127.0.0.1", "url": call.path, "payload": name,
                        "size": len(urlsplit(call.path).query) if call.kind == "xxe" else 0}  # fmt: skip
                said.setdefault(call.page, {}).setdefault(call.parameter, []).append(told)
        return said


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    timeout = 10

    def _any(self) -> None:
        kind, body = self.server.listener.take(self.command, self.path)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = _any  # noqa: N815 - names of the library

    def log_error(self, *_arguments: Any) -> None:
        """Note a caller that spoke no HTTP, such as one that began a TLS handshake: it called all the same."""
        self.server.listener.take("", "not HTTP")

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    listener: Listener

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Note a caller that broke off."""
        del request, client_address
        self.listener.take("", "broken off")


@contextmanager
def listening() -> Iterator[Listener]:
    """Run a listener on a free port of this machine."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.listener = Listener(f"http://127.0.0.1:{server.server_port}/")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def read(listener: Listener) -> list[Found]:
    """Return one finding for each kind of thing that was called for; none where nobody ever called."""
    found = {}
    for call in listener.calls:
        named = bytes.fromhex(call.parameter).decode(errors="replace") if call.parameter else ""
        words = f"The service called a host that an attack named: {call.method} {call.path}"
        one = Found(_RULE, "/", words, "error", f"{call.kind} {named}".strip(), 918)
        found[one.fingerprint] = one
    return list(found.values())
