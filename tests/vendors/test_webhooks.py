"""Messages to chats and pagers: one suite for both ways, and every address that must never be spoken to."""

import contextlib
import datetime as dt
import http.server
import ipaddress
import json
import ssl
import threading
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from headshotly.policy import configuration
from headshotly.policy.refusal import Refusal
from headshotly.vendors import closures, webhooks
from headshotly.vendors.webhooks import AddressRefused, FolderPoster, HttpsPoster, NotPosted

HOST = "chat.example"
ONCE = uuid4()


class UnsafeLoopbackPoster(HttpsPoster):
    """Speaks to this machine, where the test's own server listens."""

    @staticmethod
    def permits(address: str) -> bool:
        return address == "127.0.0.1"


def _certificate(name: str) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, private


class Chat:
    """A chat's server on this machine, for a name."""

    def __init__(self, folder, name: str = HOST) -> None:
        self.status, self.heard, self.location = 200, [], ""
        pem, private = _certificate(name)
        (folder / "chat.pem").write_bytes(pem + private)
        chat = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                chat.heard.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(chat.status)
                if chat.location:
                    self.send_header("Location", chat.location)
                self.end_headers()

            def log_message(self, *_words) -> None:
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "chat.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"https://{HOST}:{self.port}/hooks/secret?x=1"
        trust = ssl.create_default_context(cadata=pem.decode())
        self.poster = UnsafeLoopbackPoster(resolve=lambda _host, _port: ["127.0.0.1"], trust=trust)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def chat(tmp_path):
    running = Chat(tmp_path)
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture(params=["folder", "https"])
def way(request, tmp_path):
    """A poster, an address it takes, and what it handed over."""
    if request.param == "folder":
        poster = FolderPoster(tmp_path / "hooks")

        def heard():
            return [json.loads(path.read_text())["message"] for path in sorted((tmp_path / "hooks").glob("*.json"))]

        return poster, f"https://{HOST}/hooks/secret", heard, lambda: (tmp_path / "hooks").write_text("no folder")
    chat = request.getfixturevalue("chat")

    def breaks():
        chat.server.shutdown()
        chat.server.server_close()

    return chat.poster, chat.url, lambda: [body for _, _, body in chat.heard], breaks


def test_a_message_arrives_word_for_word(way) -> None:
    poster, url, heard, _ = way
    poster.post(url, {"text": "zażółć <gęślą> & jaźń"}, once=ONCE)
    assert heard() == [{"text": "zażółć <gęślą> & jaźń"}]


def test_what_cannot_be_handed_over_is_said(way) -> None:
    poster, url, _, breaks = way
    breaks()
    with pytest.raises(NotPosted):
        poster.post(url, {"text": "x"}, once=ONCE)


def test_what_is_too_long_is_refused_before_it_leaves(way) -> None:
    poster, url, heard, _ = way
    with pytest.raises(NotPosted, match="too long"):
        poster.post(url, {"text": "x" * webhooks.BYTES_MAX}, once=ONCE)
    assert heard() == []


@pytest.mark.clause("1.2.d")
@pytest.mark.parametrize(
    "url",
    [
        "http://chat.example/",
        "ftp://chat.example/",
        "https://",
        "https:///x",
        "https://user:pw@chat.example/",
        "https://user@chat.example/",
        "https://chat.example/#x",
        "https://chat.example:99999/",
        "https://[::1/",
        "chat.example",
        "",
    ],
)
def test_only_https_to_a_named_host(way, url) -> None:
    poster, _, heard, _ = way
    with pytest.raises(AddressRefused):
        poster.post(url, {"text": "x"}, once=ONCE)
    assert heard() == []


@pytest.mark.clause("1.2.d")
@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "198.18.0.1", "192.0.2.1", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::", "2001:db8::1",
    ],
)  # fmt: skip
def test_no_address_inside_is_ever_spoken_to(address, chat) -> None:
    assert not HttpsPoster.permits(address)
    for found in ([address], ["93.184.215.14", address]):
        poster = HttpsPoster(resolve=lambda _host, _port, found=found: found)
        with pytest.raises(AddressRefused, match="public"):
            poster.post(chat.url, {"text": "x"}, once=ONCE)
    assert chat.heard == []


def test_public_addresses_are_permitted() -> None:
    for address in ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"):
        assert HttpsPoster.permits(address)
        assert ipaddress.ip_address(address).is_global


def test_a_name_that_leads_nowhere_or_cannot_be_found(chat) -> None:
    with pytest.raises(AddressRefused):
        HttpsPoster(resolve=lambda _host, _port: []).post(chat.url, {}, once=ONCE)
    with pytest.raises(NotPosted):
        HttpsPoster().post("https://no-such-host.invalid/", {}, once=ONCE)


def test_the_name_is_looked_up_once_and_the_judged_address_is_the_one_spoken_to(chat) -> None:
    asked = []

    def rebinds(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    chat.poster._resolve = rebinds
    chat.poster.post(chat.url, {"text": "x"}, once=ONCE)
    assert asked == [HOST]
    path, headers, _ = chat.heard[0]
    assert (path, headers["Host"]) == ("/hooks/secret?x=1", f"{HOST}:{chat.port}")
    assert headers["Idempotency-Key"] == str(ONCE)


def test_a_redirect_is_not_followed(chat, tmp_path) -> None:
    chat.status, chat.location = 302, f"https://{HOST}:{chat.port}/elsewhere"
    with pytest.raises(NotPosted, match="302"):
        chat.poster.post(chat.url, {"text": "x"}, once=ONCE)
    assert [path for path, _, _ in chat.heard] == ["/hooks/secret?x=1"]


@pytest.mark.parametrize("status", [400, 403, 410, 429, 500, 503])
def test_a_refusal_of_the_chat_is_said(chat, status) -> None:
    chat.status = status
    with pytest.raises(NotPosted, match=str(status)):
        chat.poster.post(chat.url, {"text": "x"}, once=ONCE)


def test_another_names_certificate_is_not_taken(tmp_path) -> None:
    other = Chat(tmp_path, name="other.example")
    try:
        with pytest.raises(NotPosted):
            other.poster.post(other.url, {"text": "x"}, once=ONCE)
        assert other.heard == []
    finally:
        other.server.shutdown()
        other.server.server_close()


def test_an_untrusted_certificate_is_not_taken(chat) -> None:
    stranger = UnsafeLoopbackPoster(resolve=lambda _host, _port: ["127.0.0.1"])
    with pytest.raises(NotPosted):
        stranger.post(chat.url, {"text": "x"}, once=ONCE)
    assert chat.heard == []


def test_one_message_is_one_file_however_often_it_is_handed_over(tmp_path) -> None:
    poster = FolderPoster(tmp_path)
    for _ in range(3):
        poster.post(f"https://{HOST}/", {"text": "x"}, once=ONCE)
    assert len(list(tmp_path.glob("*.json"))) == 1


@pytest.mark.django_db(databases="__all__")
@pytest.mark.clause("9.1.b")
def test_a_shut_vendor_and_a_gate_are_asked_before_anything_leaves() -> None:
    from headshotly.audit.actor import SYSTEM

    class Shut(Refusal):
        code = "vendor.shut"

    def gate(host: str) -> None:
        raise Shut(f"{host} has no agreement.")

    folder = configuration.current().mail_folder / "webhooks"
    webhooks.post(f"https://{HOST}/", {"text": "first"}, once=uuid4())
    closures.close(actor=SYSTEM, vendor=HOST, because="An incident.")
    with pytest.raises(closures.VendorClosed):
        webhooks.post(f"https://{HOST}/", {"text": "second"}, once=uuid4())
    closures.open_again(actor=SYSTEM, vendor=HOST)
    webhooks.gate_through(gate)
    try:
        with pytest.raises(Shut):
            webhooks.post(f"https://{HOST}/", {"text": "third"}, once=uuid4())
    finally:
        with contextlib.suppress(ValueError):
            webhooks._GATES.remove(gate)
    assert len(list(folder.glob("*.json"))) == 1
