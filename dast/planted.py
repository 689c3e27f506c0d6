"""A small site full of flaws, which every scanner must find before it is believed. Never part of the service."""

import html
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.cookies import SimpleCookie
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx

_ENTITY = re.compile(r"""SYSTEM\s+["']([^"']+)["']""")
type _Answer = tuple[HTTPStatus, str, str, list[tuple[str, str]]]

# What each tool must report of this site; a tool that overlooks one of them says nothing about another site.
MUST_FIND: dict[str, frozenset[str]] = {
    "sslyze": frozenset({"tls-1.0-accepted", "tls-1.1-accepted", "weak-cipher", "weak-key", "certificate-not-trusted"}),
    "wapiti": frozenset(
        {
            "reflected-cross-site-scripting", "sql-injection", "open-redirect", "path-traversal", "command-execution",
            "cross-site-request-forgery", "content-security-policy-configuration", "clickjacking-protection",
            "secure-flag-cookie", "httponly-flag-cookie", "internal-server-error",
            "server-side-request-forgery", "xml-external-entity",
        }
    ),
    "callback": frozenset({"call-back-by-webhook"}),
    "schemathesis": frozenset({"server-error", "response-violates-schema", "undocumented-status-code"}),
}  # fmt: skip

# A cookie of who is signed in.
SIGNED_IN = {"desk": "planted"}
# What is to be found at a certain place: behind the door, where a scan that loses its cookie sees nothing; and what the
# second look must confirm, at an address with a query and at one that only takes a form from another page.
MUST_FIND_AT = {
    "wapiti": frozenset(
        {("reflected-cross-site-scripting", "/desk"), ("sql-injection", "/headshot"), ("sql-injection", "/count"),
         ("path-traversal", "/include"), ("server-side-request-forgery", "/fetch"), ("xml-external-entity", "/fetch")}
    )
}  # fmt: skip

_HOME = """<!doctype html><title>Planted</title><h1>Planted flaws</h1>
<a href="/search?q=hat">search</a> <a href="/headshot?number=1">headshot</a> <a href="/go?to=/search">go</a>
<a href="/read?file=hat.txt">read</a> <a href="/look?host=hat">look</a> <a href="/broken?size=1">broken</a>
<a href="/desk?name=hat">desk</a> <a href="/include?page=hat">include</a>
<form method="post" action="/fetch"><input name="photo" value="hat"><input type="submit"></form>
<form method="post" action="/count"><input name="hats" value="1"><input type="submit"></form>
<form method="post" action="/rename"><input name="name" value="hat"><input type="submit"></form>"""

OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "Planted flaws", "version": "1"},
    "paths": {
        "/api/headshots/{number}": {
            "get": {
                "operationId": "headshot",
                "parameters": [{"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {
                    "200": {
                        "description": "A headshot",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["number", "style"],
                                    "properties": {"number": {"type": "integer"}, "style": {"type": "string"}},
                                }
                            }
                        },
                    }
                },
            }
        },
        "/api/styles": {
            "get": {
                "operationId": "styles",
                "parameters": [{"name": "size", "in": "query", "schema": {"type": "integer", "minimum": 1}}],
                "responses": {"200": {"description": "Styles"}},
            }
        },
    },
}


def _page(body: str, *headers: tuple[str, str]) -> _Answer:
    return HTTPStatus.OK, "text/html; charset=utf-8", body, list(headers)


def _home(_asked: dict[str, str]) -> _Answer:
    return _page(_HOME, ("Set-Cookie", "session=planted; Path=/"))


def _search(asked: dict[str, str]) -> _Answer:
    return _page(f"<title>Search</title><p>Nothing found for {asked.get('q', '')}</p>")


def _headshot(asked: dict[str, str]) -> _Answer:
    """Answer as a database would that is handed what was typed."""
    number = asked.get("number", "")
    if number.count("'") % 2 or number.count('"') % 2:
        return _page('<p>ERROR:  unterminated quoted string at or near "\'" PostgreSQL query failed: ERROR: syntax</p>')
    return _page(f"<title>Headshot</title><p>{html.escape(number)}</p>")


def _count(asked: dict[str, str]) -> _Answer:
    """Answer as ``_headshot``, but only to a form."""
    if "hats" not in asked:
        return HTTPStatus.METHOD_NOT_ALLOWED, "text/html", "send the form", []
    return _headshot({"number": asked["hats"]})


def _go(asked: dict[str, str]) -> _Answer:
    return HTTPStatus.FOUND, "text/html", "", [("Location", asked.get("to", "/").replace("\r", "").replace("\n", ""))]


def _read(asked: dict[str, str]) -> _Answer:
    """Answer as a server would that opens any file; what it shows is no file of this machine."""
    if asked.get("file", "").rstrip("\x00").endswith("etc/passwd"):
        return _page("root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n")
    return _page("<p>hat</p>")


def _look(asked: dict[str, str]) -> _Answer:
    """Answer as a server would that hands what was typed to a shell; nothing is ever run."""
    if "env" in asked.get("host", "") and any(sign in asked["host"] for sign in ";|&`"):
        return _page("PATH=/usr/local/sbin:/usr/local/bin:/usr/bin\nHOME=/root\nPWD=/\nSHELL=/bin/sh\n")
    return _page("<p>hat</p>")


def _broken(asked: dict[str, str]) -> _Answer:
    if not asked.get("size", "").isdecimal():
        return HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", "no number", []
    return _page("<p>hat</p>")


def _fetched(address: str, callback: str) -> str:
    """Return what an address answers, as a server would that asks anybody; only the listener is asked."""
    if not callback or not address.startswith(callback):
        return ""
    try:
        return httpx.get(address, timeout=5).text
    except (httpx.HTTPError, httpx.InvalidURL):
        return ""


def _parse(document: str, callback: str) -> _Answer:
    """Answer as a server would whose parser resolves external entities; of an XML document only these are looked at."""
    for address in _ENTITY.findall(document):
        dtd = _fetched(address, callback)
        for told in _ENTITY.findall(dtd)[:1]:
            _fetched(told, callback)
    return _page("<p>hat</p>")


def _rename(_asked: dict[str, str]) -> _Answer:
    return _page("<p>renamed</p>")


def _desk(asked: dict[str, str], cookies: str) -> _Answer:
    """Answer like the page of a search, but only who is signed in."""
    if not set(SIGNED_IN.items()) <= {(name, one.value) for name, one in SimpleCookie(cookies).items()}:
        return HTTPStatus.FORBIDDEN, "text/html", "sign in first", []
    return _page(f"<title>Desk</title><p>Nobody is called {asked.get('name', '')}</p>")


def _styles(asked: dict[str, str]) -> _Answer:
    if not asked.get("size", "1").isdecimal():
        return HTTPStatus.INTERNAL_SERVER_ERROR, "application/json", '{"error": "no number"}', []
    return HTTPStatus.OK, "application/json", "[]", []


def _openapi(_asked: dict[str, str]) -> _Answer:
    return HTTPStatus.OK, "application/json", json.dumps(OPENAPI), []


_PAGES: dict[str, Callable[[dict[str, str]], _Answer]] = {
    "/": _home, "/search": _search, "/headshot": _headshot, "/count": _count, "/go": _go, "/read": _read,
    "/look": _look, "/broken": _broken, "/rename": _rename, "/api/styles": _styles, "/openapi.json": _openapi,
}  # fmt: skip


def _api_headshot(path: str) -> _Answer:
    number = path.rpartition("/")[2]
    if not number.lstrip("-").isdecimal():
        return HTTPStatus.NOT_ACCEPTABLE, "application/json", "{}", []
    return HTTPStatus.OK, "application/json", json.dumps({"number": number}), []


def application(environ: dict[str, Any], start_response: Callable[..., Any], callback: str = "") -> Iterable[bytes]:
    """Answer a request, badly.

    Args:
        environ: as WSGI says (PEP 3333).
        start_response: the same.
        callback: address of the listener that the site may be made to call.
    """
    path = str(environ.get("PATH_INFO", "/"))
    length = int(environ.get("CONTENT_LENGTH") or 0)
    query = str(environ.get("QUERY_STRING", ""))
    sent_body = environ["wsgi.input"].read(length).decode(errors="replace") if length else ""
    if environ["REQUEST_METHOD"] == "POST":
        query += "&" + sent_body
    asked = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    if path in _PAGES:
        status, kind, body, headers = _PAGES[path](asked)
    elif path == "/desk":
        status, kind, body, headers = _desk(asked, str(environ.get("HTTP_COOKIE", "")))
    elif path == "/include":
        status, kind, body, headers = _page(f"<p>{html.escape(_fetched(asked.get('page', ''), callback))}</p>")
    elif path == "/fetch" and "xml" in str(environ.get("CONTENT_TYPE", "")):
        status, kind, body, headers = _parse(sent_body, callback)
    elif path == "/fetch":
        _fetched(asked.get("photo", ""), callback)
        status, kind, body, headers = _page("<p>hat</p>")
    elif path.startswith("/api/headshots/"):
        status, kind, body, headers = _api_headshot(path)
    else:
        status, kind, body, headers = HTTPStatus.NOT_FOUND, "text/html", "nothing here", []
    sent = body.encode()
    start_response(
        f"{status.value} {status.phrase}", [("Content-Type", kind), ("Content-Length", str(len(sent))), *headers]
    )
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [sent]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128
    context: ssl.SSLContext

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: scanners break off handshakes on purpose."""

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the thread of the request, so that a silent client holds up nobody."""
        request.settimeout(10)
        super().finish_request(self.context.wrap_socket(request, server_side=True), client_address)


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


def _weak_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a context that speaks what nobody should speak any more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1  # the planted flaw
    context.load_cert_chain(certificate, key)
    return context


@contextmanager
def running(certificate: Path, key: Path, callback: str = "") -> Iterator[str]:
    """Run the site on a free port of this machine; yields its address.

    Args:
        certificate: PEM file.
        key: PEM file.
        callback: address of the listener that it can be made to call.
    """
    server = make_server(
        "127.0.0.1", 0, partial(application, callback=callback), server_class=_Server, handler_class=_Quiet
    )
    server.context = _weak_context(certificate, key)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
