"""Webhooks as an attack on what lies inside: addresses that lead to this machine, in many spellings and by name.

The service sends to whatever address a customer registers. Each address tried here leads to a port of its own, at which
nobody may ever knock, whatever the service thinks of the address when it is registered.
"""

import contextlib
import ipaddress
import json
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from dast import serving
from dast.results import Found, Scan, ScanFailed
from dast.serving import Browser, Service

_BELOW = "callback.example"
_NOWHERE = "2d00::1"  # of a block that IANA keeps; public to look at, routed to nobody
# What the made-up names answer: first, then, and from then on.
ZONE: dict[str, list[list[str]]] = {
    f"inside.{_BELOW}": [["127.0.0.1"]],
    f"inside6.{_BELOW}": [["::1"]],
    f"mapped.{_BELOW}": [["::ffff:127.0.0.1"]],
    f"both.{_BELOW}": [[_NOWHERE, "127.0.0.1"]],
    f"turns.{_BELOW}": [[_NOWHERE], ["127.0.0.1"]],
}
SPELLINGS: dict[str, str] = {
    "number": "https://127.0.0.1:{port}/", "short number": "https://127.1:{port}/",
    "hexadecimal": "https://0x7f000001:{port}/", "octal": "https://0177.0.0.1:{port}/",
    "whole number": "https://2130706433:{port}/", "number with a dot": "https://127.0.0.1.:{port}/",
    "IPv6": "https://[::1]:{port}/", "IPv4 in IPv6": "https://[::ffff:127.0.0.1]:{port}/",
    "this machine": "https://localhost:{port}/", "this machine with a dot": "https://localhost.:{port}/",
    "unspecified": "https://0.0.0.0:{port}/", "unencrypted": "http://127.0.0.1:{port}/",
    "account before it": "https://hooks.example@127.0.0.1:{port}/",  # pragma: allowlist secret
    "backslash": "https://127.0.0.1:{port}\\@hooks.example/",  # pragma: allowlist secret
    "fragment": "https://127.0.0.1:{port}#@hooks.example/",  # pragma: allowlist secret
    **{f"name that leads to {name.partition('.')[0]}": f"https://{name}:{{port}}/" for name in ZONE},
}  # fmt: skip
_TRIES = 5
_KNOWN_TO_IT = frozenset({"localhost"})
_RULE = "call-back-by-webhook"
PLACE = "/account/programs/webhooks/new/"


@dataclass(slots=True)
class Doors:
    """Ports of this machine, one for each spelling.

    Attributes:
        addresses: spelling → address that leads to its port.
        knocked: spellings whose port was connected to.
    """

    addresses: dict[str, str] = field(default_factory=dict)
    knocked: set[str] = field(default_factory=set)


@contextmanager
def doors() -> Iterator[Doors]:
    """Open a port for each spelling, on both loopback addresses where there are two."""
    opened, stop = Doors(), threading.Event()
    watched = selectors.DefaultSelector()
    for name, spelling in SPELLINGS.items():
        door = socket.create_server(("127.0.0.1", 0))
        port = door.getsockname()[1]
        watched.register(door, selectors.EVENT_READ, name)
        with contextlib.suppress(OSError):  # a machine without IPv6
            watched.register(socket.create_server(("::1", port), family=socket.AF_INET6), selectors.EVENT_READ, name)
        opened.addresses[name] = spelling.format(port=port)

    def watch() -> None:
        while not stop.is_set():
            for key, _ in watched.select(timeout=0.2):
                opened.knocked.add(key.data)
                key.fileobj.accept()[0].close()  # type: ignore[union-attr]

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield opened
    finally:
        stop.set()
        thread.join()
        for key in list(watched.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        watched.close()


def attack(at: Doors, *, send: Callable[[str], bool], settled: Callable[[list[str]], None]) -> Scan:
    """Have something sent to every address and return at which ports it arrived.

    Args:
        at: the ports.
        send: registers an address and has something sent there; says whether the address was taken at all.
        settled: returns once everything was tried that was to be sent to these addresses, and makes room for more.
    """
    began, taken = time.monotonic(), 0
    by_name = [name for name in at.addresses if urlsplit(SPELLINGS[name].format(port=1)).hostname in ZONE]
    for group in (by_name, [name for name in at.addresses if name not in by_name]):
        accepted = [at.addresses[name] for name in group if send(at.addresses[name])]
        taken += len(accepted)
        settled(accepted)
    time.sleep(0.5)  # a connection that was just made
    found = [
        Found(_RULE, PLACE, f"The service spoke to an address inside: {at.addresses[name]}", "error", name, 918)
        for name in sorted(at.knocked)
    ]
    notes = [f"Of {len(at.addresses)} addresses that lead inside, {taken} were registered and {len(found)} spoken to."]
    return Scan("callback", "1", found, frozenset({PLACE}), notes, time.monotonic() - began)


def scan(service: Service, customer: Browser, token: str) -> Scan:
    """Return which addresses inside the service speaks to when a customer names them.

    Args:
        service: that knows the names of ``ZONE``, and sends to endpoints as in production.
        customer: signed in, with no endpoints yet.
        token: of the same customer, with every scope.

    Raises:
        ScanFailed: names were not registered or not tried, so nothing is known of them.
    """
    context = ssl.create_default_context(cafile=str(service.authority))
    headers = {"Authorization": f"Bearer {token}"}
    made: dict[str, str] = {}
    with (
        doors() as at,
        httpx.Client(base_url=f"{service.url}/api/v1", headers=headers, verify=context, timeout=30) as client,
    ):

        def send(address: str) -> bool:
            answer = client.post("/webhooks", json={"url": address, "events": ["job.done"]})
            if not answer.is_success:
                return False
            made[address] = answer.json()["id"]
            own = f"/account/programs/webhooks/{made[address]}/"
            customer.press(customer.get(own), f"{own}test/")
            return True

        def settled(addresses: list[str]) -> None:
            if addresses:
                _deliver(service)
                _require_asked(service.asked, ZONE)
            for address in addresses:
                client.delete(f"/webhooks/{made[address]}")

        return attack(at, send=send, settled=settled)


def _deliver(service: Service) -> None:
    """Have what waits sent now; the service does so by itself every ten seconds, unless it is busy with other duties.

    Raises:
        ScanFailed: it did not.
    """
    for left in reversed(range(_TRIES)):
        try:
            serving.beside(service, "-m", "headshotly.frontdoor", "duties", "now", "integrations.deliver")
        except ScanFailed:  # somebody else is doing it at this moment
            if not left:
                raise
            time.sleep(3)
        else:
            return


def _require_asked(log: Path, names: Collection[str]) -> None:
    """Pass once the service looked up every one of these names.

    Raises:
        ScanFailed: it did not, so nothing is known of what it does then.
    """
    if missing := set(names) - set(log.read_text(encoding="utf-8").split() if log.exists() else []):
        raise ScanFailed(f"The service never tried to speak to {', '.join(sorted(missing))}.")


def _is_number(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _plain(number: str) -> str:
    """Return an IPv4 address as everybody writes it, whatever way it was written."""
    try:
        return socket.inet_ntoa(socket.inet_aton(number))
    except OSError:
        return number


def planted(at: Doors, zone: Mapping[str, list[list[str]]] | None = None) -> Scan:
    """Attack a sender that speaks to whatever it is told, to see that knocks are heard.

    Args:
        at: the ports.
        zone: what names answer; the scan's own by default.
    """
    known = json.loads(json.dumps(ZONE if zone is None else zone))

    def send(address: str) -> bool:
        try:
            parts = urlsplit(address)
            host, port = parts.hostname or "", parts.port or 0
        except ValueError:
            return False
        for number in known.get(host, [[host]])[-1]:
            if number not in _KNOWN_TO_IT and not _is_number(_plain(number)):
                continue  # it has no name server: nothing outside is asked
            if number != _NOWHERE:
                with contextlib.suppress(OSError), socket.create_connection((_plain(number), port), timeout=2):
                    return True
        return True

    return attack(at, send=send, settled=lambda _addresses: None)
