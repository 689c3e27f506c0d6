"""Finding the service: the live one, or one of the same code started for the run, and which of the two it was."""

import dataclasses
import functools
import socket
import ssl

import pytest

from headshotly.policy import configuration
from headshotly.proof import handshakes, service
from headshotly.proof.scene import said
from headshotly.proof.service import Finder, Listening, ServiceMissing, live, why_not
from tests.sabotage.conftest import listen, weak_context  # noqa: F401 - a fixture


@pytest.fixture
def here():
    return configuration.current()


@pytest.fixture
def nobody_starts(monkeypatch):
    monkeypatch.setattr(service, "_scratch", [])


def test_where_the_live_service_is(here) -> None:
    local = live(here)
    assert (local.host, local.port) == ("127.0.0.1", here.https_port)
    far = live(dataclasses.replace(here, environment="production", public_url="https://www.headshotly.example"))
    assert (far.host, far.port, far.plain_port, far.trusted) == ("www.headshotly.example", 443, 80, None)


def test_why_it_cannot_be_met(here, tmp_path, listen) -> None:  # noqa: F811 - a fixture
    place = Listening("127.0.0.1", 1, 1, tmp_path / "none.pem")
    assert "no service ever ran" in why_not(place)
    port = listen()
    ours = Listening("127.0.0.1", port, 1, tmp_path / "certificate.pem")
    assert why_not(ours) == ""
    (tmp_path / "other").mkdir()
    from headshotly.frontdoor import certificate

    stranger, _ = certificate.ensure(tmp_path / "other", host="localhost")
    assert "another program" in why_not(dataclasses.replace(ours, trusted=stranger))
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    assert "no service is listening" in why_not(dataclasses.replace(ours, port=closed))


def test_in_production_nothing_stands_in(here, monkeypatch) -> None:
    monkeypatch.setattr(service, "why_not", lambda _place: "no service is listening on port 443")
    far = dataclasses.replace(here, environment="production", public_url="https://www.headshotly.example")
    with Finder(far) as find, pytest.raises(ServiceMissing, match="No service is listening"):
        find()


def test_what_stands_in_says_so(here, monkeypatch, tmp_path, listen, nobody_starts) -> None:  # noqa: F811 - a fixture
    import contextlib

    ended = []

    @contextlib.contextmanager
    def start():
        yield listen(), 1, tmp_path / "certificate.pem"
        ended.append(True)

    service.start_scratch_with(start)
    with Finder(here) as find:
        found = find()
        assert found is find()
        assert found.emulated
        assert "scratch listener" in said("It holds.", found)
    assert ended


@pytest.mark.clause("3.1.a")
@pytest.mark.parametrize("name", handshakes.VERSIONS)
def test_a_handshake_tells_a_refusal_from_an_acceptance(name, listen) -> None:  # noqa: F811 - a fixture
    version = handshakes.VERSIONS[name]
    assert handshakes.client_speaks(version)
    assert handshakes.attempt("127.0.0.1", listen(functools.partial(weak_context, version=version)), version).accepted
    assert handshakes.attempt("127.0.0.1", listen(), version).accepted is (version >= ssl.TLSVersion.TLSv1_2)


def test_nobody_listening_is_no_refusal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    with pytest.raises(OSError):
        handshakes.attempt("127.0.0.1", closed, ssl.TLSVersion.TLSv1_2)
