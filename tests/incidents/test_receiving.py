"""Syslog over TLS and the HTTP collector: who may send, what is taken, and what is held back."""

import asyncio
import contextlib
import datetime as dt
import json
import socket
import ssl
import threading
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.test import Client

from headshotly.access.machines import _hash
from headshotly.access.models import ApiToken, Role, ServiceAccount, StaffMember
from headshotly.incidents import spool, syslog_server
from headshotly.incidents.models import Event
from headshotly.incidents.reading import SpoolReader
from headshotly.incidents.sources import collected, syslog_lines
from headshotly.incidents.stream import Stream
from headshotly.policy import clock

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])


def _authority(name: str):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


@pytest.fixture
def pair(tmp_path):
    """Return a function that writes a self-signed certificate and key."""

    def make(name: str):
        key, certificate = _authority(name)
        paths = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return paths

    return make


@pytest.fixture
def receiver(pair):
    """Run a receiver that knows one sender, and return how to reach it."""
    server_pair, sender_pair = pair("server"), pair("sender")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server_pair)
    context.load_verify_locations(sender_pair[0])
    context.verify_mode = ssl.CERT_REQUIRED
    loop, ready, port = asyncio.new_event_loop(), threading.Event(), []

    async def start() -> None:
        server = await syslog_server.listen(context, host="127.0.0.1", port=0)
        port.append(server.sockets[0].getsockname()[1])
        ready.set()

    def run() -> None:
        loop.run_until_complete(start())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)

    def connect(certificate=sender_pair):
        client = ssl.create_default_context(cafile=str(server_pair[0]))
        if certificate:
            client.load_cert_chain(*certificate)
        return client.wrap_socket(socket.create_connection(("127.0.0.1", port[0]), 5), server_hostname="localhost")

    yield connect
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


MESSAGE = (
    b'<38>1 2026-11-20T12:00:00.003Z bastion sshd 4711 - [origin ip="198.51.100.7" quoted="a\\"b\\]"] '
    b"\xef\xbb\xbfFailed password for root from 198.51.100.7"
)


def frames(*messages: bytes) -> bytes:
    return b"".join(b"%d %s" % (len(message), message) for message in messages)


def received(detector, wanted: int) -> list[Event]:
    stream = Stream([SpoolReader("syslog", syslog_lines.observe)], detector)
    for _ in range(100):
        stream.step()
        if Event.objects.count() >= wanted:
            break
        threading.Event().wait(0.05)
    return list(Event.objects.order_by("id"))


@pytest.mark.clause("8.2.b", "3.1.a")
def test_a_known_sender_s_messages_become_events(receiver, detector) -> None:
    with receiver() as sender:
        sender.sendall(frames(MESSAGE, MESSAGE)[:50])
        sender.sendall(frames(MESSAGE, MESSAGE)[50:])
    events = received(detector, 2)
    assert len(events) == 2, "two equal messages are two events"
    assert events[0].ocsf["unmapped"]["data"] == {"origin.ip": "198.51.100.7", "origin.quoted": 'a"b]'}
    assert events[0].ocsf["message"].startswith("Failed password")


@pytest.mark.clause("3.1.a")
@pytest.mark.parametrize("known", [None, "stranger"])
def test_a_sender_without_a_known_certificate_is_not_heard(receiver, pair, detector, known) -> None:
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        with receiver(pair(known) if known else None) as sender:
            sender.sendall(frames(MESSAGE))
            assert sender.recv(1) == b"", "the connection must end"
    assert not spool.segments("syslog")


def test_what_is_no_frame_ends_the_connection_and_costs_nothing_before_it(receiver, detector) -> None:
    for nonsense in (b"GET / HTTP/1.1\r\n\r\n", b"99999999 x", b"0 ", b"70000 x"):
        with receiver() as sender:
            sender.sendall(frames(MESSAGE) + nonsense)
            assert sender.recv(1) == b""
    assert len(received(detector, 4)) == 4


def test_while_the_disk_takes_nothing_the_sender_waits_and_nothing_is_lost(receiver, detector, monkeypatch) -> None:
    monkeypatch.setattr(syslog_server, "_RETRY_SECONDS", 0.05)
    real, full = spool.os.write, threading.Event()
    full.set()

    def write(descriptor, data):
        if full.is_set():
            raise OSError(28, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(spool.os, "write", write)
    with receiver() as sender:
        sender.sendall(frames(*[MESSAGE] * 50))
        threading.Event().wait(0.3)
        assert len(spool.writer("syslog").waiting) == 1, "one message a sender waits; the rest waits in TCP"
        full.clear()
        assert len(received(detector, 50)) == 50


def test_a_receiver_that_lets_anybody_in_does_not_start() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.raises(ValueError, match="certificates"):
        asyncio.run(syslog_server.listen(context, host="127.0.0.1", port=0))


@pytest.fixture
def token(db) -> str:
    member = StaffMember.objects.create(handle="op", role=Role.OPERATIONS, created_at=clock.now())
    account = ServiceAccount.objects.create(name="shipper", created_by=member, created_at=clock.now())

    def make(*rights: str) -> str:
        text = "hsy_" + uuid4().hex
        ApiToken.objects.create(
            token_sha256=_hash(text),
            account=account,
            rights=list(rights),
            issued_at=clock.now(),
            expires_at=clock.now() + dt.timedelta(days=1),
        )
        return text

    return make


def send(token: str, body) -> tuple[int, dict]:
    answer = Client(enforce_csrf_checks=True).post(
        "/api/events/",
        body if isinstance(body, (str, bytes)) else json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
        secure=True,
    )
    return answer.status_code, answer.json()


def event(**more) -> dict:
    return {"time": "2026-11-20T12:00:00Z", "fields": {"message": "' or 1=1"}, "product": "linux", "id": "1"} | more


@pytest.mark.clause("8.2.b", "2.4.a")
def test_a_program_with_the_right_token_leaves_events_once(token, detector) -> None:
    right = token("events.write")
    assert send(right, {"events": [event(), event(id="2")]}) == (202, {"taken": 2})
    assert send(right, {"events": [event()]})[0] == 202
    Stream([SpoolReader("collector", collected.observe)], detector).step()
    assert Event.objects.count() == 2


@pytest.mark.clause("2.4.a")
def test_without_the_right_token_nothing_is_taken(token) -> None:
    assert send("hsy_wrong", {"events": [event()]})[0] == 401
    assert send(token("journal.read"), {"events": [event()]})[0] == 401
    assert not spool.segments("collector")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        {"events": []},
        {"events": [event(time="yesterday")]},
        {"events": [event(), event(time="2026-11-20T12:00:00")]},
        {"events": [event(fields="x")]},
        {"events": [event(fields={str(n): n for n in range(3000)})]},
        {"events": [event(outcome="perhaps")]},
        {"events": [event(actor=7)]},
        {"events": "x"},
        b"[" * 100_000,
    ],
)
def test_a_batch_with_one_broken_event_is_refused_whole_in_plain_words(token, body) -> None:
    status, said = send(token("events.write"), body)
    assert status == 400
    assert said["sentence"].endswith(".")
    assert not spool.segments("collector")


def test_too_much_at_once_and_a_full_disk_are_said(token, monkeypatch) -> None:
    right = token("events.write")
    assert send(right, {"events": [event()] * 1001})[0] == 413
    assert send(right, {"events": [event(fields={"x": "y" * (1 << 20)})]})[0] == 413

    def full(_descriptor, _data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool.os, "write", full)
    assert send(right, {"events": [event()]})[0] == 503
