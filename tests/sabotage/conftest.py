"""Scratch systems to break promises in, and the table of who noticed.

Each test here first lets its check see a whole system, so that a check that always fails is no witness, then breaks the
promise; the check must say BROKEN and name the thing.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from django.test import Client

from headshotly.access import grants
from headshotly.audit.sequencing import sequence_once
from headshotly.frontdoor import certificate
from headshotly.frontdoor.server import redirector, tls_context
from headshotly.policy import configuration
from headshotly.proof import handshakes, registry
from headshotly.proof.findings import Finding, Outcome
from headshotly.proof.scene import Answer, Scene
from headshotly.proof.services import look_once
from tests.access.conftest import make_member
from tests.accounts.conftest import _quick, customer, db_all  # noqa: F401 - fixtures

_ROW = "sabotage"


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        for mark in item.iter_markers("sabotage"):
            name, what = mark.args
            known = registry.load().get(name)
            item.user_properties.append((_ROW, [", ".join(known.clauses) if known else "?", name, what]))


def pytest_terminal_summary(terminalreporter) -> None:
    """Print clause × sabotage × seen."""
    reports = [one for kind in ("passed", "failed", "error") for one in terminalreporter.stats.get(kind, [])]
    rows = sorted(
        (*row, "seen" if report.passed else "NOT SEEN")
        for report in reports
        if getattr(report, "when", "") in {"call", "setup"} and (report.when == "call" or report.failed)
        for name, row in getattr(report, "user_properties", [])
        if name == _ROW
    )
    if not rows:
        return
    terminalreporter.section("sabotage: clause × what was broken × seen")
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)]
        terminalreporter.write_line("  ".join([*cells, row[3]]))
    missed = sum(row[3] != "seen" for row in rows)
    terminalreporter.write_line(f"{len(rows)} promises were broken, {len(rows) - missed} of them seen.")


class InProcess:
    """The service without a socket: Django's own client over TLS, and the redirector's own application."""

    emulated, note, host, port, plain_port = False, "", "localhost", 0, 0

    def __init__(self) -> None:
        self.without: set[str] = set()
        here = configuration.current()
        self.plain = redirector(port=0, host="localhost", public_url=here.public_url).load()

    def fetch(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        sent = {name: value for name, value in (headers or {}).items() if name not in self.without}
        got = Client(raise_request_exception=False).get(path, secure=True, HTTP_HOST="localhost", headers=sent)
        found = [(name.lower(), value) for name, value in got.headers.items()]
        found += [("set-cookie", morsel.OutputString()) for morsel in got.cookies.values()]
        return Answer(got.status_code, tuple(found), got.getvalue())

    def fetch_plain(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        said: list = []
        body = b"".join(self.plain({"PATH_INFO": path}, lambda status, names: said.extend((status, names))))
        return Answer(int(said[0][:3]), tuple((name.lower(), value) for name, value in said[1]), body)


class Watch:
    """One check and what it says."""

    def __init__(self, name: str, scene: Scene) -> None:
        self._check, self.scene = registry.load()[name], scene

    def look(self) -> Finding:
        return look_once(self._check, self.scene)

    def is_content(self) -> Finding:
        found = self.look()
        assert found.outcome is Outcome.HELD, found.sentence
        assert found.population > 0
        return found

    def is_broken(self, naming: object) -> Finding:
        found = self.look()
        assert found.outcome is Outcome.BROKEN, f"not seen: {found.sentence}"
        assert str(naming) in found.sentence
        assert found.broken
        return found


@pytest.fixture
def service() -> InProcess:
    return InProcess()


@pytest.fixture
def scene(db, service) -> Scene:
    return Scene(find_service=lambda: service)


@pytest.fixture
def watch(request, scene) -> Watch:
    """The check this test's mark names."""
    return Watch(request.node.get_closest_marker("sabotage").args[0], scene)


@pytest.fixture
def support(db_all):  # noqa: F811 - a fixture
    return make_member("support")


@pytest.fixture
def officer(db_all):  # noqa: F811 - a fixture
    return make_member("security-officer")


@pytest.fixture
def grant(support, officer, customer):  # noqa: F811 - a fixture
    """A grant in force for one customer's details."""
    asked = grants.ask(
        member=support, scope="details", subject=customer.id, purpose="support-request", ticket="SUP-1", minutes=60
    )
    return grants.approve(decider=officer, grant_id=asked.id)


def sequence_all() -> None:
    while sequence_once():
        pass


def weak_context(cert: Path, key: Path, *, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A server's context that speaks one old version, as nobody should."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    handshakes._speak_only(context, version, "ALL:@SECLEVEL=0")
    context.load_cert_chain(cert, key)
    return context


@pytest.fixture
def listen(tmp_path) -> Iterator[Callable[..., int]]:
    """Start a TLS listener on a free port; with our own context unless told otherwise."""
    sockets: list[socket.socket] = []

    def start(make_context=tls_context) -> int:
        context = make_context(*certificate.ensure(tmp_path, host="localhost"))
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)
        threading.Thread(target=_serve, args=(listening, context), daemon=True).start()
        return listening.getsockname()[1]

    yield start
    for one in sockets:
        one.close()


def _serve(listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        with contextlib.suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as tls:
            tls.recv(1)
