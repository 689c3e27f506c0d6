"""Who calls back is heard, whatever they say; and a door through which somebody is always signed in."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from dast import authority, callback, crawl, door, hooks, planted
from dast.results import ScanFailed
from dast.serving import Service
from tests.dast.test_reports import DONE, NOW, wapiti_says

NAMES = Path(hooks.__file__).with_name("names")


def read(address: str, **more) -> str:
    with urlopen(Request(address, **more), timeout=5) as answer:  # noqa: S310 - of this machine
        return answer.read().decode()


def test_wapitis_questions_are_answered_with_who_called_and_are_no_calls():
    with callback.listening() as listener:
        url = listener.url
        read(url)
        assert read(f"{url}get_ssrf.php?session_id=abc") == "{}"
        assert listener.calls == []
        read(f"{url}ssrf/abc/7/{b'photo'.hex()}/", method="POST", data=b"x")
        (told,) = json.loads(read(f"{url}get_ssrf.php?session_id=abc"))["7"][b"photo".hex()]
        assert (told["method"], told["url"]) == ("POST", f"/ssrf/abc/7/{b'photo'.hex()}/")
        assert read(f"{url}get_ssrf.php?session_id=other") == read(f"{url}get_xxe.php?session_id=abc") == "{}"
        dtd = read(f"{url}dtd/abc/9/00/linux.dtd")
        assert f"SYSTEM '{url}xxe/abc/9/00/linux?" in dtd
        read(f"{url}xxe/abc/9/00/linux?seen")
        sizes = [
            (one["payload"], one["size"]) for one in json.loads(read(f"{url}get_xxe.php?session_id=abc"))["9"]["00"]
        ]
        assert sizes == [("linux", 0), ("linux", 4)]
        assert callback.INCLUDED in read(f"{url}/e.php")
    assert {one.detail for one in callback.read(listener)} == {"ssrf photo", "dtd \0", "xxe \0", ""}
    assert {one.cwe for one in callback.read(listener)} == {918}


def test_a_call_that_is_no_http_is_heard_too():
    with callback.listening() as listener:
        port = int(listener.url.rstrip("/").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall(b"\x16\x03\x01\n\n")  # how a TLS handshake begins
            while line.recv(1000):
                pass
    assert callback.read(listener) != []


def test_what_wapiti_leaves_out_of_its_report_is_read_from_what_it_printed(tmp_path: Path):
    said = """
---
Received a HTTP 500 error in /other
Evil request:
    POST /other HTTP/1.1
---
Out-Of-Band XXE vulnerability by sending raw XML in request body
Evil request:
    POST /fetch?a=1 HTTP/1.1
    Content-Type: text/xml
---
---
The target reached the DTD file on the endpoint but the exploitation didn't succeed.
Evil request:
    POST /fetch HTTP/1.1
---
"""
    found = crawl.read(wapiti_says(tmp_path), DONE + said).found
    assert {(one.rule, one.place, one.level, one.cwe) for one in found} == {
        ("xml-external-entity", "/fetch", "error", 611)
    }
    assert len({one.fingerprint for one in found}) == 1


def test_the_planted_site_calls_nobody_but_the_listener(tmp_path: Path):
    certificate, key = authority.distrusted(tmp_path / "planted", now=NOW)
    trusting = ssl._create_unverified_context()  # noqa: S323 - the certificate is a planted flaw
    with callback.listening() as listener, callback.listening() as other:
        with planted.running(certificate, key, listener.url) as url:
            for address in (
                listener.url,
                f"{other.url}x",
                f"{listener.url}\0",
                "http://[",
                "file:///etc/passwd",
                "hat",
            ):
                asked = Request(f"{url}/fetch", f"photo={address}".encode())  # noqa: S310 - of this machine
                with urlopen(asked, context=trusting, timeout=5) as said:  # noqa: S310 - the same
                    assert said.read() == b"<p>hat</p>"
            document = f'<!DOCTYPE a SYSTEM "{listener.url}dtd/a/1/00/linux.dtd"><a/>'.encode()
            asked = Request(f"{url}/fetch", document, {"Content-Type": "text/xml"})  # noqa: S310 - the same
            with urlopen(asked, context=trusting, timeout=5) as said:  # noqa: S310 - the same
                assert said.status == 200
        assert [one.kind for one in listener.calls] == ["dtd", "xxe"]
        assert other.calls == []


def test_knocks_of_a_sender_that_trusts_everybody_are_heard_at_every_address_that_leads_here():
    with hooks.doors() as doors:
        assert len(set(doors.addresses.values())) == len(hooks.SPELLINGS)
        scan = hooks.planted(doors)
    heard = {one.detail for one in scan.found}
    assert {"number", "short number", "hexadecimal", "whole number", "this machine", "account before it"} <= heard
    assert {f"name that leads to {name}" for name in ("inside", "mapped", "both", "turns")} <= heard
    assert {one.rule for one in scan.found} == planted.MUST_FIND["callback"]


def test_nobody_knocked_is_nothing_found():
    with hooks.doors() as doors:
        scan = hooks.attack(doors, send=lambda _address: False, settled=lambda _addresses: None)
    assert scan.found == []
    assert scan.notes == [f"Of {len(hooks.SPELLINGS)} addresses that lead inside, 0 were registered and 0 spoken to."]


def test_a_name_that_was_never_looked_up_means_that_nothing_is_known(tmp_path: Path):
    log = tmp_path / "asked"
    with pytest.raises(ScanFailed, match=r"b\.example"):
        hooks._require_asked(log, ["b.example"])
    log.write_text("a.example\n")
    with pytest.raises(ScanFailed, match=r"b\.example"):
        hooks._require_asked(log, ["a.example", "b.example"])
    hooks._require_asked(log, ["a.example"])


def test_the_scans_name_server_knows_its_own_names_and_no_others(tmp_path: Path):
    asked = """
import socket, sys
heard = []
sys.addaudithook(lambda event, got: heard.append(got[0]) if event == "socket.getaddrinfo" else None)
def ask(name):
    try:
        return [one[4][0] for one in socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)][:1]
    except OSError as error:
        return error.errno == socket.EAI_NONAME
print(ask("turns.example"), ask("TURNS.example"), ask("turns.example"), ask("example.org"), ask("127.0.0.1"),
      ask("localhost") in (["127.0.0.1"], ["::1"]), "turns.example" in heard)
"""
    surroundings = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(NAMES), "DAST_ASKED": str(tmp_path / "asked"),
        "DAST_ZONE": json.dumps({"turns.example": [["192.0.2.1"], ["127.0.0.1"]]}),
    }  # fmt: skip
    said = subprocess.run([sys.executable, "-c", asked], env=surroundings, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "['192.0.2.1'] ['127.0.0.1'] ['127.0.0.1'] True ['127.0.0.1'] True True"
    assert (tmp_path / "asked").read_text().split() == [*["turns.example"] * 3, "example.org"]


class Upstream(BaseHTTPRequestHandler):
    """A service whose session ``ended`` is over; it says who it takes the asker for."""

    def _any(self) -> None:
        self.server.seen.append(self.headers)
        who = self.headers.get("Cookie", "").partition("session=")[2].partition(";")[0]
        token = self.headers.get("Authorization", "")
        out = who == "ended" and self.path != "/sign-out/"
        status = 401 if token in {"Bearer ended", "Bearer wrong"} else 302 if out or self.path == "/sign-out/" else 200
        length = int(self.headers.get("Content-Length") or 0)
        body = f"{who} {token} {self.rfile.read(length).decode()}".encode()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"{self.server.url}/account/sign-in/?next=/")
        self.send_header("Set-Cookie", "session=stolen")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_HEAD = do_QUERY = _any  # noqa: N815 - the library's names

    def log_message(self, *_arguments) -> None:
        pass


@pytest.fixture
def service(tmp_path: Path):
    vouching = authority.vouched(tmp_path / "tls", now=NOW.replace(year=2026))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls" / "certificate.pem", tmp_path / "tls" / "key.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url, server.seen = f"https://localhost:{server.server_port}", []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    there = Service(server.url, vouching, tmp_path, {}, tmp_path / "log", tmp_path / "asked")
    yield there, server.seen
    server.shutdown()
    server.server_close()
    thread.join()


def through(url: str, path: str, *, method: str = "GET", **headers: str) -> tuple[int, str, http.client.HTTPMessage]:
    line = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    line.request(method, path, headers=headers)
    answer = line.getresponse()
    return answer.status, answer.read().decode(), answer.headers


def following(*cookies: str):
    left = [door.Account({"session": one}, one) for one in cookies]

    def take() -> door.Account:
        if not left:
            raise ScanFailed("More accounts were ended than were made for it.")
        return left.pop(0)

    return take


def test_who_is_signed_out_is_followed_by_the_next_and_nobody_notices(service):
    there, seen = service
    with door.opened(there, following("ended", "second")) as opened:
        status, said, headers = through(opened.url, "/a/", Referer=f"{opened.url}/b/")
        assert (status, said.strip()) == (200, "second")
        assert "Set-Cookie" not in headers, "whoever scans holds no session that could be over"
        assert seen[-1]["Referer"] == f"{there.url}/b/"
        assert door._SECRET in seen[-1]["Cookie"]
        assert opened.ended == 1
        assert through(opened.url, "/a/")[1].strip() == "second"
        assert through(opened.url, "/a/", method="QUERY")[0] == 200
        assert through(opened.url, "/a/", method="HEAD")[:2] == (200, "")
        assert opened.ended == 1


def test_signing_out_is_answered_once_and_uses_nobody_up(service):
    with door.opened(service[0], following("first", "second")) as opened:
        status, _, headers = through(opened.url, "/sign-out/")
        assert (status, headers["Location"]) == (302, f"{opened.url}/account/sign-in/?next=/")
        assert opened.ended == 0


def test_a_token_that_is_void_is_followed_by_the_next_but_no_other_is_made_good(service):
    with door.opened(service[0], following("ended", "good")) as opened:
        assert through(opened.url, "/api/", Authorization=f"Bearer {door.MARK}")[0] == 200
        assert opened.ended == 1
        assert through(opened.url, "/api/", Authorization="Bearer wrong")[0] == 401
        assert opened.ended == 1


def test_a_door_that_nobody_is_left_behind_is_an_error(service):
    with pytest.raises(ScanFailed, match="More accounts"), door.opened(service[0], following("ended")) as opened:
        assert through(opened.url, "/a/")[0] == 504


def test_a_door_to_a_service_that_is_gone_is_an_error(service, tmp_path: Path):
    gone = Service("https://localhost:1", service[0].authority, tmp_path, {}, tmp_path / "log", tmp_path / "asked")
    with pytest.raises(ScanFailed, match="did not answer the door"), door.opened(gone, following("a")) as opened:
        with pytest.raises(HTTPError):
            read(f"{opened.url}/a/")
