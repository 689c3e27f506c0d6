"""Debian's Suricata reads a capture made on loopback with our rules; its alerts become alerts, and those cases."""

import http.server
import ipaddress
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from headshotly.incidents import alerts, cases, rulebook
from headshotly.incidents.models import Alert, Case, Event
from headshotly.incidents.reading import TailReader
from headshotly.incidents.stream import Stream

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"]),
    pytest.mark.clause("2.3.b"),
]
RULES = Path(rulebook.__file__).with_name("suricata") / "inside.rules"
EDGE = Path(__file__).resolve().parents[2] / "infra" / "suricata" / "headshotly.rules"
SENDERS = EDGE.with_name("senders.rules")
# What the firewall of AWS is told beside the rules (infra/headshotly_infra/network.py).
_NETWORK = json.loads((EDGE.parents[1] / "templates" / "Network.json").read_text(encoding="utf-8"))
_SETS = {
    name: f"[{','.join(said['Definition'])}]"
    for one in _NETWORK.values()
    for name, said in one["Properties"].get("RuleGroup", {}).get("RuleVariables", {}).get("IPSets", {}).items()
}
_GIVEN = [part for name, value in _SETS.items() for part in ("--set", f"vars.address-groups.{name}={value}")]
# The firewall's last word about everything that no rule lets out: here it says so instead of dropping.
_ELSE = "".join(
    f'alert {protocol} any any -> any any (msg:"not let out"; flow:to_server,established; sid:{sid};)\n'
    for sid, protocol in ((1, "tls"), (2, "http"))
)
_NOT_LET_OUT = {1, 2}
OUTGOING = 4  # PACKET_OUTGOING: loopback shows every frame twice


@pytest.fixture
def suricata() -> str:
    found = shutil.which("suricata")
    if found is None:
        sentence = "Suricata is missing; .ci/run installs it from Debian"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found


class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_arguments) -> None:
        pass


def captured(act, path: Path) -> None:
    """Write what crosses loopback while ``act`` runs, as a pcap file."""
    frames, over = [], threading.Event()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as tap:
        tap.bind(("lo", 0))
        tap.settimeout(0.1)

        def listen() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    data, where = tap.recvfrom(65535)
                    if where[2] == OUTGOING:
                        frames.append((time.time(), data))

        ear = threading.Thread(target=listen)
        ear.start()
        act()
        time.sleep(0.5)
        over.set()
        ear.join()
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    rows = [struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(data), len(data)) + data for at, data in frames]
    path.write_bytes(head + b"".join(rows))


def requests() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for line, agent in (
        (b"/studio/", b"Mozilla/5.0"),
        (b"/static/../../etc/passwd", b"Mozilla/5.0"),
        (b"/", b"sqlmap/1.8#stable"),
        (b"/?x=${jndi:ldap://x/a}", b"Mozilla/5.0"),
    ):
        with socket.create_connection(server.server_address, 5) as client:
            client.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nUser-Agent: %s\r\nConnection: close\r\n\r\n" % (line, agent))
            while client.recv(4096):
                pass
    server.shutdown()
    server.server_close()


def test_a_capture_s_attacks_become_cases(suricata: str, detector, tmp_path: Path) -> None:
    capture, logs = tmp_path / "loopback.pcap", tmp_path / "logs"
    logs.mkdir()
    try:
        captured(requests, capture)
    except PermissionError:
        if os.environ.get("CI"):
            pytest.fail("CI must be allowed to listen on loopback")
        pytest.skip("listening on loopback needs root")
    done = subprocess.run(
        [suricata, "-r", str(capture), "-S", str(RULES), "-l", str(logs), "-k", "none", "--runmode", "single"],
        capture_output=True,
        timeout=120,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (logs / "eve.json").read_text().splitlines()]
    found = {one["alert"]["signature_id"] for one in lines if one["event_type"] == "alert"}
    assert found == {1000001, 1000002, 1000003}
    stream = Stream([TailReader(logs / "eve.json")], detector)
    while stream.step():
        pass
    alert = Alert.objects.get(title="The network watch raised an alert")
    assert (alert.source, alert.hits, alert.address) == ("suricata", 3, "127.0.0.1")
    assert Event.objects.filter(source="suricata", class_uid=2004).count() == 3
    assert cases.open_for_alert in alerts._HOOKS
    assert Case.objects.count() == 1


def _checksum(data: bytes) -> int:
    whole = sum(struct.unpack(f"!{len(data) // 2}H", data))
    return ~((whole & 0xFFFF) + (whole >> 16)) & 0xFFFF


def _hello(name: str) -> bytes:
    """Return what a TLS client says first when it asks for a name."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=name or None)
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def _conversation(source: tuple[str, int], target: tuple[str, int], *said: bytes) -> list[bytes]:
    """Return the frames in which a client opens a connection and says something, which the server takes."""

    def frame(there: bool, flags: int, number: int, heard: int, data: bytes = b"") -> bytes:
        (one, from_port), (other, to_port) = (source, target) if there else (target, source)
        tcp = struct.pack("!HHIIBBHHH", from_port, to_port, number, heard, 5 << 4, flags, 64_000, 0, 0) + data
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, socket.inet_aton(one),
                           socket.inet_aton(other))  # fmt: skip
        head = head[:10] + struct.pack("!H", _checksum(head)) + head[12:]
        return bytes(12) + b"\x08\x00" + head + tcp

    frames = [frame(True, 0x02, 0, 0), frame(False, 0x12, 0, 1), frame(True, 0x10, 1, 1)]
    told = 1
    for piece in said:
        frames.append(frame(True, 0x18, told, 1, piece))
        told += len(piece)
        frames.append(frame(False, 0x10, 1, told))
    return frames


_SENDER = str(ipaddress.ip_network(_SETS["SENDERS"].strip("[]").partition(",")[0])[9])
_TASK, _OUT, _IN = "10.20.4.9", "93.184.215.14", "10.20.8.5"
_WEB = b"POST / HTTP/1.1\r\nHost: hooks.example.org\r\nContent-Length: 0\r\n\r\n"
# who → where → what is said first → the rules it meets
_TRIES = [
    (_SENDER, (_OUT, 443), _hello("hooks.example.org"), set()),
    (_SENDER, (_OUT, 443), _hello("any.name.of.anybody.example"), set()),
    (_SENDER, (_OUT, 8443), _hello("hooks.example.org"), {1}),
    (_SENDER, (_OUT, 443), _hello(""), {1}),
    (_SENDER, (_OUT, 443), _WEB, {2}),
    (_SENDER, (_IN, 443), _hello("hooks.example.org"), {9100101}),
    (_SENDER, ("169.254.169.254", 80), _WEB, {9100101}),
    (_SENDER, ("192.168.3.4", 443), _hello("hooks.example.org"), {9100101}),
    (_TASK, (_OUT, 443), _hello("hooks.example.org"), {1}),
]


def _tried(suricata: str, folder: Path, rules: str, tries: list) -> list[list[dict]]:
    """Return what Suricata, in line as a firewall, said of each try."""
    capture, written, logs = folder / "tries.pcap", folder / "all.rules", folder / "logs"
    logs.mkdir()
    written.write_text(rules, encoding="utf-8")
    frames = [
        frame
        for number, (source, target, said, _) in enumerate(tries)
        for frame in _conversation((source, 40_000 + number), target, *(said if isinstance(said, list) else [said]))
    ]
    rows = [struct.pack("<IIII", 1_800_000_000, at * 1000, len(one), len(one)) + one for at, one in enumerate(frames)]
    capture.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(rows))
    done = subprocess.run(
        [suricata, "-r", str(capture), "-S", str(written), "-l", str(logs), "-k", "none", "--runmode", "single",
         "--simulate-ips", *_GIVEN],
        capture_output=True, timeout=120, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (logs / "eve.json").read_text().splitlines()]
    told = [one for one in lines if one["event_type"] == "alert"]
    return [[one for one in told if 40_000 + number in (one["src_port"], one["dest_port"])]
            for number in range(len(tries))]  # fmt: skip


@pytest.mark.clause("1.2.d", "2.4.a")
def test_senders_get_out_to_public_hosts_by_name_over_tls_and_nobody_else_does(suricata: str, tmp_path: Path) -> None:
    rules = SENDERS.read_text(encoding="utf-8") + _ELSE
    for (source, target, _, met), mine in zip(_TRIES, _tried(suricata, tmp_path, rules, _TRIES), strict=True):
        # What a rule drops is not looked at any further, so that the last word may be heard or not.
        found = {one["alert"]["signature_id"] for one in mine} - (_NOT_LET_OUT if 9100101 in met else set())
        assert found == met, (source, target)
        dropped = {one["alert"]["signature_id"] for one in mine if one["alert"]["action"] == "blocked"}
        assert dropped == met - _NOT_LET_OUT, (source, target)


# What leaves by port 443 and is no TLS is dropped, whatever it is; a hello that takes two packets, as one with keys
# against quantum computers does, is none of it.
_WHOLE = _hello("api.stripe.com")
_AT_THE_EDGE = [
    (_TASK, (_OUT, 443), _WHOLE, set()),
    (_TASK, (_OUT, 443), [_WHOLE[:100], _WHOLE[100:]], set()),
    (_TASK, (_OUT, 443), _WHOLE[:9] + b"\x03\x02" + _WHOLE[11:], {9100002}),
    (_TASK, (_OUT, 443), _WHOLE[:9] + b"\x03\x01" + _WHOLE[11:], {9100001}),
    (_TASK, (_OUT, 443), _WEB, {9100003, 9100007}),
    (_TASK, (_OUT, 443), b"SSH-2.0-OpenSSH_9.2\r\n", {9100007}),
    (_TASK, (_OUT, 22), b"SSH-2.0-OpenSSH_9.2\r\n", {9100004, 9100006}),
]


@pytest.mark.clause("2.3.b", "8.2.b")
def test_what_leaves_by_443_and_is_no_tls_is_dropped(suricata: str, tmp_path: Path) -> None:
    rules = EDGE.read_text(encoding="utf-8")
    for (_, target, _, met), mine in zip(_AT_THE_EDGE, _tried(suricata, tmp_path, rules, _AT_THE_EDGE), strict=True):
        assert {one["alert"]["signature_id"] for one in mine} - {9100003} == met - {9100003}, target
        dropped = {one["alert"]["signature_id"] for one in mine if one["alert"]["action"] == "blocked"}
        assert dropped == met & {9100007}, target


@pytest.mark.parametrize("rules", [RULES, EDGE, SENDERS], ids=["inside", "edge", "senders"])
def test_every_rule_of_ours_is_one_that_suricata_takes(suricata: str, tmp_path: Path, rules: Path) -> None:
    done = subprocess.run(
        [suricata, "-T", "-S", str(rules), "-l", str(tmp_path), *_GIVEN], capture_output=True, timeout=120, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "E: detect" not in done.stdout + done.stderr
