"""The running service: TLS, redirects, headers, size limits, stopping, and a second start."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from headshotly.frontdoor import certificate
from headshotly.frontdoor.server import tls_context
from tests.frontdoor.test_logs import PLANTED, Visitor, found_in
from tests.journeys.conftest import Service, launch, start_service


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HEADSHOTLY_OPTION_LOGS__FORM", "json")
        service = start_service(tmp_path_factory.mktemp("service"))
    yield service
    if service.process.poll() is None:
        service.stop()


def port_of(service: Service) -> int:
    return int(service.url.rsplit(":", 1)[1])


def shake_hands(port: int, version: ssl.TLSVersion) -> str | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as tls:
                return tls.version()
        except (ssl.SSLError, ConnectionError):
            return None


def ask(service: Service, request: bytes, *, more: bytes = b"") -> bytes:
    context = ssl.create_default_context(cafile=str(service.data / "tls" / "certificate.pem"))
    with (
        socket.create_connection(("127.0.0.1", port_of(service)), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        tls.sendall(request)
        if more:
            tls.sendall(more)
        answer = b""
        while piece := tls.recv(65536):
            answer += piece
    return answer


def get(service: Service, path: str, *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: localhost:{port_of(service)}", "Connection: close", *headers]
    return ask(service, "\r\n".join(lines).encode() + b"\r\n\r\n")


@pytest.mark.clause("3.1.a")
@pytest.mark.parametrize(
    ("version", "spoken"),
    [
        (ssl.TLSVersion.TLSv1, None),
        (ssl.TLSVersion.TLSv1_1, None),
        (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
        (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_only_modern_tls_is_spoken(running: Service, version: ssl.TLSVersion, spoken: str | None) -> None:
    assert shake_hands(port_of(running), version) == spoken


@pytest.mark.clause("3.1.a")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_the_handshake_test_would_see_a_weak_server(tmp_path: Path) -> None:
    paths = certificate.ensure(tmp_path, host="localhost")
    weak = tls_context(*paths)
    weak.minimum_version = ssl.TLSVersion.TLSv1
    weak.set_ciphers("ALL:@SECLEVEL=0")
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    if os.fork() == 0:
        try:
            connection, _ = listener.accept()
            with weak.wrap_socket(connection, server_side=True):
                pass
        finally:
            os._exit(0)
    assert shake_hands(port, ssl.TLSVersion.TLSv1_1) == "TLSv1.1"
    listener.close()
    os.wait()


@pytest.mark.clause("3.1.b")
def test_plain_http_only_redirects_and_to_our_own_host(running: Service) -> None:
    with socket.create_connection(("127.0.0.1", running.http_port), timeout=5) as plain:
        plain.sendall(b"GET /studio/?x=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        answer = plain.recv(4096).decode()
    assert answer.startswith("HTTP/1.1 308")
    assert f"Location: {running.url}/studio/" in answer
    assert "evil" not in answer


@pytest.mark.clause("3.1.b")
@pytest.mark.clause("1.2.d")
def test_every_answer_carries_its_headers(running: Service) -> None:
    for path in ("/", "/account/sign-in/", "/policy/", "/nothing-here/"):
        answer = get(running, path).decode(errors="replace")
        head = answer.split("\r\n\r\n")[0]
        assert "Strict-Transport-Security: max-age=" in head
        assert "default-src 'none'" in head
        assert "X-Content-Type-Options: nosniff" in head
        assert "X-Frame-Options: DENY" in head
    assert re.search(r"__Host-csrf=[^\r]*HttpOnly", get(running, "/account/sign-in/").decode(errors="replace"))
    assert b"X-Frame-Options: DENY" in get(running, "/static/frontdoor/mark.svg")


def test_a_question_without_a_body_leaves_no_line_in_the_log(running: Service) -> None:
    head = f"HEAD /policy/ HTTP/1.1\r\nHost: localhost:{port_of(running)}\r\nConnection: close\r\n\r\n"
    answer = ask(running, head.encode())
    length = re.search(rb"Content-Length: (\d+)", answer)
    assert answer.startswith(b"HTTP/1.1 200")
    assert length is not None
    assert int(length[1]) > 1000
    assert answer.endswith(b"\r\n\r\n")
    assert "no-body response" not in running.log()


def test_a_foreign_host_name_is_refused(running: Service) -> None:
    answer = ask(running, b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")


@pytest.mark.clause("1.2.d")
def test_global_privacy_control_is_honoured_and_shown(running: Service) -> None:
    assert b"Opt-Out Request Honored" in get(running, "/", "Sec-GPC: 1")
    assert b"Opt-Out Request Honored" not in get(running, "/")
    assert json.loads(get(running, "/.well-known/gpc.json").split(b"\r\n\r\n")[1])["gpc"] is True


def test_a_two_gigabyte_upload_is_refused_before_it_is_read(running: Service) -> None:
    head = (
        f"POST /studio/upload/ HTTP/1.1\r\nHost: localhost:{port_of(running)}\r\nConnection: close\r\n"
        f"Content-Length: {2 << 30}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        "Accept: application/json\r\n\r\n"
    )
    start = time.monotonic()
    answer = ask(running, head.encode(), more=b"--x\r\n")
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"too much at once" in answer
    assert time.monotonic() - start < 5
    assert get(running, "/health/").startswith(b"HTTP/1.1 200")


@pytest.mark.clause("12")
def test_every_page_names_the_operator(running: Service) -> None:
    for path in ("/", "/policy/", "/account/sign-up/", "/nothing-here/"):
        page = get(running, path).decode()
        for fact in (
            "HeadShotlyAI",
            "Wileńska 14",
            "03-409 Warszawa",
            "security@headshotly.ai",
            "privacy@headshotly.ai",
        ):
            assert fact in page, (path, fact)


def test_a_second_service_on_the_same_folder_is_refused(running: Service) -> None:
    done = running.run("serve")
    assert done.returncode == 1
    assert "already runs" in done.stderr


def descendants(process_id: int) -> set[int]:
    found = {process_id}
    while True:
        listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pairs = [tuple(map(int, line.split())) for line in listing.splitlines()]
        more = {pid for pid, parent in pairs if parent in found} - found
        if not more:
            return found
        found |= more


def alive(ids: set[int]) -> set[int]:
    listing = subprocess.run(["ps", "-eo", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    return {int(pid) for pid, state in map(str.split, listing.splitlines()) if not state.startswith("Z")} & ids


def test_ctrl_c_stops_everything_and_a_second_start_finds_it_again(tmp_path: Path) -> None:
    first = start_service(tmp_path)
    assert first.log().count("/staff/enrol/") == 1
    family = descendants(first.process.pid)
    assert len(family) >= 6
    assert first.stop() == 0
    assert alive(family) == set()
    second = start_service(tmp_path)
    assert second.log().count("/staff/enrol/") == 1  # printed once, by the first start
    assert second.log().count("is ready") == 2
    assert second.stop() == 0


def test_ctrl_c_is_heard_while_the_service_is_still_getting_ready(tmp_path: Path) -> None:
    service = launch(tmp_path)
    deadline = time.monotonic() + 60
    while not (tmp_path / "data" / "serve.lock").exists():
        assert time.monotonic() < deadline, service.log()
        time.sleep(0.01)
    assert service.stop() == 0
    assert "has stopped" in service.log()
    assert "is ready" not in service.log()


def test_a_killed_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    service = start_service(tmp_path)
    family = descendants(service.process.pid)
    service.process.send_signal(signal.SIGKILL)
    service.process.wait()
    deadline = time.monotonic() + 20
    while alive(family) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert alive(family) == set()


def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    service = start_service(tmp_path)
    try:
        family = descendants(service.process.pid) - {service.process.pid}
        for process_id in family:
            try:
                os.kill(process_id, signal.SIGKILL)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + 30
        answer = b""
        while not answer.startswith(b"HTTP/1.1 200") and time.monotonic() < deadline:
            time.sleep(0.5)
            try:
                answer = get(service, "/health/")
            except OSError:
                answer = b""
        assert answer.startswith(b"HTTP/1.1 200"), service.log()
    finally:
        service.stop()


@pytest.mark.clause("3.2.a", "5.3.a")
def test_the_running_service_logs_nobody(running: Service, shared: Path) -> None:
    """All processes, as they are run: what they say, and every file they leave, but the mailboxes."""
    visitor = Visitor(running)
    visitor.fill("/account/sign-up/", name=PLANTED["name"], email=PLANTED["address"], password=PLANTED["password"])
    visitor.fill(running.newest_link(), password=PLANTED["password"])
    visitor.fill("/account/sign-in/", email=PLANTED["address"], password=PLANTED["token"])
    visitor.fill("/account/sign-in/", email=PLANTED["address"], password=PLANTED["password"])
    assert "Sign out" in visitor.ask("/studio/")
    for page in ("/consent/", "/your-data/", "/account/settings/"):
        visitor.fill(page, name=PLANTED["name"], address=PLANTED["street"], version="1")
    visitor.send("/studio/", "/studio/upload/", PLANTED["file"], PLANTED["street"].encode())
    photo = (shared / "photos" / "good" / "tf_grace_hopper.jpg").read_bytes()
    visitor.send("/studio/", "/studio/upload/", PLANTED["file"], photo)
    visitor.ask(f"/orders/prices/?coupon={PLANTED['card']}")
    visitor.ask(f"/{PLANTED['token']}/?email={PLANTED['address']}")
    visitor.fill("/account/reset/", email=PLANTED["address"])
    sessions = {one.name: one.value for one in visitor.cookies if len(one.value or "") > 8}
    assert "__Host-session" in sessions
    said = (running.folder / "log").read_bytes()
    lines = [json.loads(line) for line in said.splitlines() if line.startswith(b"{")]
    assert len([line for line in lines if line["event"] == "request.answered"]) > 20
    files = {one: one.read_bytes() for one in running.data.rglob("*") if one.is_file()}
    assert any("spool" in one.parts or one.suffix == ".sqlite3" for one in files)
    assert found_in(said) == set()
    assert {one.name: found_in(text) for one, text in files.items() if found_in(text)} == {}
    assert [name for name, value in sessions.items() if value.encode() in said] == []


def test_metrics_of_all_web_processes_come_with_a_token_only(running: Service) -> None:
    """Two processes answer; either tells of both, also when one of them was killed and replaced."""
    issued = running.run("manage", "shell", "-c", _ISSUE)
    token = re.search(r"hsy_[\w-]+", issued.stdout)
    assert token is not None, issued.stderr
    assert get(running, "/api/metrics/").startswith(b"HTTP/1.1 401")

    def asked() -> float:
        text = get(running, "/api/metrics/", f"Authorization: Bearer {token[0]}").decode()
        return float(re.search(r'request_seconds_count\{route="gpc",status="2xx"\} ([\d.]+)', text)[1])

    for _ in range(20):
        get(running, "/.well-known/gpc.json")
    told = [asked() for _ in range(6)]
    assert told == sorted(told), "whichever process is asked, it knows of the others"  # checks ask meanwhile, too
    before = told[-1]
    assert told[0] >= 20
    listing = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listing.splitlines()]
    family = descendants(running.process.pid)
    web = {int(pid): int(parent) for pid, parent, words in rows if int(pid) in family and " serve web" in words}
    worker = next(pid for pid, parent in web.items() if parent in web)
    os.kill(worker, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while asked() < before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert asked() >= before, "what a killed process had counted is still counted"


_ISSUE = """
from headshotly.access import machines
from headshotly.access.models import StaffMember
member = StaffMember.objects.first()
account = machines.create(member=member, name="prometheus")
print(machines.issue(member=member, account_id=account.id, rights=["metrics.read"], days=1))
"""
