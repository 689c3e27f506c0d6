"""The HTTP client: no address a person could type leads inside, and nothing comes back without bounds."""

import socket
import ssl
import threading
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.vendors import gate, https, way_out
from headshotly.vendors.errors import EgressRefused
from tests import strange_servers

SUBJECT = uuid.UUID(int=5)


@pytest.fixture(autouse=True)
def _gate_open(monkeypatch) -> None:
    """The gate is tried elsewhere; here it notes who asked."""
    monkeypatch.setattr(gate, "at_request", lambda _host, **_: None)
    monkeypatch.setattr(gate, "require", lambda _host, **_: "played")


@pytest.mark.clause("1.2.d")
@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/x", "ftp://hooks.example/", "file:///etc/passwd", "gopher://hooks.example/",
        "https://", "https:///x", "//hooks.example/", "https://user:secret@hooks.example/", "https://hooks.example/#x",
        "https://127.0.0.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/",
        "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest/", "https://localhost/",
        "https://metadata/", "https://hooks.example:port/", "https://hooks.example\\@inside.example/",
        "https://hooks.example/\r\nHost: inside", "https://hooks.exam\u2024ple/", "",
    ],
)  # fmt: skip
def test_addresses_that_are_none_are_refused(url):
    with pytest.raises(https.AddressRefused):
        https.request("POST", url, at_request_of=SUBJECT, resolve=lambda *_: ["93.184.215.14"])


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text):
    try:
        found = https.address_of(text)
    except https.AddressRefused:
        return
    assert text.lower().startswith("https://")
    assert "." in found.host
    assert ":" not in found.host


@pytest.mark.clause("1.2.d")
@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.5"], ["127.0.0.1"], ["169.254.169.254"], ["::1"], ["93.184.215.14", "10.0.0.5"], ["fd00::1"], []],
)
def test_names_that_lead_inside_are_refused(addresses):
    with pytest.raises(https.AddressRefused, match="public internet"):
        https.request("POST", "https://hooks.example/", at_request_of=SUBJECT, resolve=lambda *_: addresses)


@pytest.mark.clause("1.2.d")
def test_a_name_is_looked_up_once(monkeypatch):
    """The second answer of a rebinding name is never asked for."""
    asked, connected = [], []

    def resolve(host, _port):
        asked.append(host)
        return ["93.184.215.14"] if len(asked) == 1 else ["127.0.0.1"]

    def speak(_method, _where, address, **_named):
        connected.append(address)
        return https.Answer(200, b"")

    monkeypatch.setattr(https, "_speak", speak)
    https.request("POST", "https://hooks.example/", at_request_of=SUBJECT, resolve=resolve)
    assert (asked, connected) == (["hooks.example"], ["93.184.215.14"])


@pytest.mark.clause("9.1.b")
def test_where_the_gate_refuses_nothing_is_looked_up(monkeypatch):
    def shut(_host, **_named):
        raise EgressRefused("No.")

    monkeypatch.setattr(gate, "require", shut)
    asked = []
    with pytest.raises(EgressRefused):
        https.request("GET", "https://api.example/", resolve=lambda *a: asked.append(a))
    assert asked == []


def _serve(answer: bytes, context: ssl.SSLContext) -> tuple[int, threading.Thread, list[bytes]]:
    listening = socket.create_server(("127.0.0.1", 0))
    got: list[bytes] = []

    def run() -> None:
        with listening, listening.accept()[0] as raw:
            try:
                with context.wrap_socket(raw, server_side=True) as stream:
                    stream.settimeout(5)
                    got.append(strange_servers.whole(stream))
                    stream.sendall(answer)
                    stream.recv(1)  # closing while the other side still speaks would cut the answer off
            except OSError:
                return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return listening.getsockname()[1], thread, got


@pytest.fixture
def tls(tmp_path):
    """The contexts of hooks.example and of whoever believes it."""
    return strange_servers.certificate(tmp_path, "hooks.example")


@pytest.fixture
def this_machine_is_public(monkeypatch):
    monkeypatch.setattr(way_out, "is_public", lambda _address: True)


@pytest.mark.usefixtures("this_machine_is_public")
def test_a_message_arrives_and_a_redirect_is_not_followed(tls):
    serving, trusting = tls
    port, thread, got = _serve(
        b"HTTP/1.1 302 Found\r\nLocation: https://inside.example/\r\nContent-Length: 2\r\n\r\nno", serving
    )
    answer = https.request(
        "POST", f"https://hooks.example:{port}/x?y=1", body=b"hello", at_request_of=SUBJECT,
        resolve=lambda *_: ["127.0.0.1"], trust=trusting,
    )  # fmt: skip
    thread.join(5)
    assert answer == https.Answer(302, b"no")
    assert got[0].startswith(b"POST /x?y=1 HTTP/1.1\r\n")
    assert f"Host: hooks.example:{port}".encode() in got[0]


@pytest.mark.usefixtures("this_machine_is_public")
def test_a_certificate_of_somebody_else_is_not_believed(tls):
    serving, trusting = tls
    port, _, got = _serve(b"HTTP/1.1 200 OK\r\n\r\n", serving)
    with pytest.raises(https.NoAnswer):
        https.request(
            "POST", f"https://other.example:{port}/", at_request_of=SUBJECT,
            resolve=lambda *_: ["127.0.0.1"], trust=trusting,
        )  # fmt: skip
    assert got == []


@pytest.mark.usefixtures("this_machine_is_public")
def test_an_endless_answer_is_cut(tls, monkeypatch):
    monkeypatch.setattr(https, "ANSWER_BYTES_MAX", 1000)
    serving, trusting = tls
    port, _, _ = _serve(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000, serving)
    answer = https.request(
        "GET", f"https://hooks.example:{port}/", at_request_of=SUBJECT, resolve=lambda *_: ["127.0.0.1"], trust=trusting
    )
    assert len(answer.body) == 1000


@pytest.fixture
def impatient(monkeypatch):
    for name, seconds in (("CONNECT_SECONDS", 2.0), ("READ_SECONDS", 0.3), ("WHOLE_SECONDS", 0.5)):
        monkeypatch.setattr(https, name, seconds)


def ask(port: int, trusting: ssl.SSLContext, **more) -> https.Answer:
    return https.request(
        "POST", f"https://hooks.example:{port}/", body=b"hello", at_request_of=SUBJECT,
        resolve=lambda *_: ["127.0.0.1"], trust=trusting, **more,
    )  # fmt: skip


@pytest.mark.usefixtures("this_machine_is_public", "impatient")
@pytest.mark.parametrize("behaviour", strange_servers.NO_ANSWER)
def test_whoever_hangs_or_trickles_or_babbles_is_left_in_time(tls, behaviour):
    """Without a bound on the whole, most of these would hold whoever asks until the server is tired of it."""
    with (
        strange_servers.serving(tls[0], strange_servers.NO_ANSWER[behaviour]) as port,
        pytest.raises(https.NoAnswer),
    ):
        ask(port, tls[1])


@pytest.mark.usefixtures("this_machine_is_public", "impatient")
@pytest.mark.parametrize("behaviour", strange_servers.TAKEN)
def test_where_only_the_status_counts_the_rest_is_not_waited_for(tls, behaviour):
    with strange_servers.serving(tls[0], strange_servers.TAKEN[behaviour]) as port:
        answer = ask(port, tls[1], answer_bytes_max=0)
    assert answer.status in {200, 204}
    assert answer.body == b""


@pytest.mark.usefixtures("this_machine_is_public", "impatient")
def test_a_body_that_trickles_is_no_answer_where_it_is_wanted(tls):
    behave = strange_servers.TAKEN["trickles a body"]
    with strange_servers.serving(tls[0], behave) as port, pytest.raises(https.NoAnswer):
        ask(port, tls[1])


@pytest.mark.usefixtures("this_machine_is_public", "impatient")
def test_a_server_that_does_not_shake_hands_and_one_that_is_none_are_no_answer(tls, monkeypatch):
    monkeypatch.setattr(https, "CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(https.NoAnswer):
            ask(port, tls[1])
    with pytest.raises(https.NoAnswer):
        ask(port, tls[1])


def test_too_long_a_message_is_refused():
    with pytest.raises(https.AddressRefused, match="too long"):
        https.request("POST", "https://hooks.example/", body=b"x" * (https.BODY_BYTES_MAX + 1), at_request_of=SUBJECT)


def test_a_program_on_this_machine_is_posted_to_and_nobody_else_that_way(tls):
    with pytest.raises(https.AddressRefused):
        https.post_here("http://traces.example.eu/v1/traces", body=b"x", headers={})
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1/traces"

    def answer() -> None:
        with listening, listening.accept()[0] as stream:
            strange_servers.whole(stream)
            stream.sendall(
                b"HTTP/1.1 307 Temporary\r\nLocation: https://elsewhere.example/\r\nContent-Length: 2\r\n\r\nok"
            )

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    assert https.post_here(url, body=b"hello", headers={}) == https.Answer(307, b"ok"), "no redirect is followed"
    thread.join(5)
    with pytest.raises(https.NoAnswer):
        https.post_here(url, body=b"hello", headers={})
