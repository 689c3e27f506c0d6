"""The process's own guard: no library reaches anything the gate did not open, whatever it tries."""

import ast
import http.client
import smtplib
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
import requests
import urllib3

from headshotly.vendors import way_out
from headshotly.vendors.errors import EgressRefused
from tests.test_house import REPOSITORY, tracked

pytestmark = pytest.mark.clause("1.2.d")


@pytest.fixture(autouse=True)
def _shut() -> None:
    way_out.forget()
    yield
    way_out.forget()


def _by_urllib() -> None:
    urllib.request.urlopen("https://tracker.example/", timeout=2)


def _by_http_client() -> None:
    http.client.HTTPSConnection("tracker.example", timeout=2).request("GET", "/")


def _by_requests() -> None:
    requests.get("https://tracker.example/", timeout=2)


def _by_urllib3() -> None:
    urllib3.PoolManager(retries=False).request("GET", "http://192.0.2.7/", timeout=2)


def _by_smtp() -> None:
    smtplib.SMTP("mail.example", timeout=2)


def _by_socket() -> None:
    socket.create_connection(("192.0.2.7", 443), timeout=2)


def _by_ipv6() -> None:
    with socket.socket(socket.AF_INET6) as raw:
        raw.settimeout(2)
        raw.connect(("2001:db8::7", 443))


def _by_datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        raw.sendto(b"x", ("192.0.2.7", 53))


def _by_message() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        raw.sendmsg([b"x"], [], 0, ("192.0.2.7", 53))


def _by_name() -> None:
    socket.gethostbyname("tracker.example")


@pytest.mark.parametrize(
    "attempt",
    [
        _by_urllib, _by_http_client, _by_requests, _by_urllib3, _by_smtp, _by_socket, _by_ipv6, _by_datagram,
        _by_message, _by_name,
    ],
)  # fmt: skip
def test_nothing_leaves_by(attempt):
    assert way_out.installed(), "every process of the house is guarded from its start"
    with pytest.raises((EgressRefused, urllib.error.URLError, OSError)) as caught:
        attempt()
    chain, error = [], caught.value
    while error is not None:
        chain.append(type(error))
        error = error.__cause__ or error.__context__ or getattr(error, "reason", None)
    assert EgressRefused in chain, "it failed for another reason than the guard"


@pytest.fixture
def resolving():
    """Have every name lead to given addresses, beneath the guard's own look-up."""
    names = dict(zip(socket.getaddrinfo.__code__.co_freevars, socket.getaddrinfo.__closure__, strict=True))
    beneath = names["resolve"]
    before = beneath.cell_contents

    def lead_to(*addresses: str) -> None:
        beneath.cell_contents = lambda _host, port, *_rest, **_named: [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses
        ]

    yield lead_to
    beneath.cell_contents = before


def test_a_permitted_name_opens_its_own_addresses_only(resolving):
    resolving("93.184.215.14")
    way_out.permit("api.stripe.com")
    socket.getaddrinfo("api.stripe.com", 443)
    assert way_out._permits.holds_address("93.184.215.14")
    with socket.socket() as raw, pytest.raises(EgressRefused):
        raw.connect(("192.0.2.7", 443))


@pytest.mark.parametrize("address", ["10.0.0.5", "192.168.1.1", "169.254.169.254", "127.0.0.1", "100.64.0.1"])
def test_a_name_that_turns_towards_the_inside_leads_nowhere(resolving, address):
    resolving("93.184.215.14", address)
    way_out.permit("rebinding.example")
    with pytest.raises(EgressRefused, match="inside a network"):
        socket.getaddrinfo("rebinding.example", 443)
    assert not way_out._permits.holds_address("93.184.215.14")
    way_out.permit("endpoint.example", inside=True)
    assert socket.getaddrinfo("endpoint.example", 443)


def test_a_permit_runs_out(monkeypatch):
    moment = [1000.0]
    monkeypatch.setattr(way_out.time, "monotonic", lambda: moment[0])
    way_out.permit("api.stripe.com")
    assert way_out._permits.holds_name("API.stripe.com")
    moment[0] += way_out.PERMIT_SECONDS + 1
    assert not way_out._permits.holds_name("api.stripe.com")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True), ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True), ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False), ("224.0.0.1", False), ("0.0.0.0", False), ("::1", False), ("198.18.0.1", False),
        ("2002:a00:1::", False), ("fd00:ec2::254", False),
        # NAT64 leads to the IPv4 address at the end, in our own network too; the others are routed nowhere public.
        ("64:ff9b::a00:1", False), ("64:ff9b::7f00:1", False), ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b::5db8:d70e", True), ("64:ff9b:1::a00:1", False), ("::127.0.0.1", False), ("::10.0.0.1", False),
        ("::ffff:0:10.0.0.1", False), ("fec0::1", False), ("3fff::1", False), ("5f00::1", False),
    ],
)  # fmt: skip
def test_only_the_public_internet_is_public(address, public):
    assert way_out.is_public(address) is public


def test_this_machine_is_not_outside():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), timeout=2):
        assert server.accept()[0]


def test_a_fresh_process_of_ours_is_guarded_from_its_start(tmp_path):
    program = (
        "import django; django.setup(); import socket\n"
        "from headshotly.vendors.errors import EgressRefused\n"
        "try: socket.create_connection(('192.0.2.7', 443), timeout=1)\n"
        "except EgressRefused: print('guarded')"
    )
    import os

    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "headshotly.frontdoor.settings", "HEADSHOTLY_DATA": str(tmp_path),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, cwd=REPOSITORY
    )
    assert done.stdout.strip() == "guarded", done.stderr


# Where a client of the outside may be imported. Bare sockets listen and probe this machine in several rooms; what they
# would connect to is judged while they run, by the guard.
CLIENTS = {
    "headshotly/vendors/aws.py": {"boto3", "botocore"},
    "headshotly/vendors/https.py": {"urllib3", "http.client"},  # the second for the errors that the first lets through
    "headshotly/vendors/mail.py": {"smtplib"},
    "headshotly/orders/stripe_payments.py": {"stripe"},
    "headshotly/proof/service.py": {"http.client"},  # asks our own service, on this machine
    "headshotly/frontdoor/commands/connection.py": {"httpx"},  # a customer's own machine, where no service runs
}
STRAY = {
    "http.client", "urllib.request", "urllib3", "requests", "httpx", "aiohttp", "smtplib", "ftplib", "imaplib", "poplib",
    "telnetlib", "xmlrpc", "boto3", "botocore", "stripe", "websocket", "websockets", "paramiko",
}  # fmt: skip


def _imports(path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in STRAY for one in found if one == name or one.startswith(name + ".")}


@pytest.mark.clause("9.1.b")
def test_no_client_stands_outside_its_one_adapter():
    found = {}
    for path in tracked("headshotly/*.py"):
        name = str(path.relative_to(REPOSITORY))
        stray = _imports(path) - CLIENTS.get(name, set())
        if stray:
            found[name] = stray
    assert found == {}


def test_the_static_check_would_see_a_stray_client(tmp_path):
    planted = tmp_path / "planted.py"
    planted.write_text("import urllib.request\nfrom boto3 import session\nimport http.client as h\n")
    assert _imports(planted) == {"urllib.request", "boto3", "http.client"}
