"""Debian's Suricata reads a capture made on loopback with our rules; its alerts become alerts, and those cases."""

import http.server
import json
import os
import shutil
import socket
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


@pytest.mark.parametrize("rules", [RULES, EDGE], ids=["inside", "edge"])
def test_every_rule_of_ours_is_one_that_suricata_takes(suricata: str, tmp_path: Path, rules: Path) -> None:
    done = subprocess.run(
        [suricata, "-T", "-S", str(rules), "-l", str(tmp_path)], capture_output=True, timeout=120, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "E: detect" not in done.stdout + done.stderr
