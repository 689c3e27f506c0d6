"""The process itself: Python asks here before any socket leaves this machine (PEP 578 audit hook).

The hook refuses every look-up of a name and every connection that the gate did not permit a moment before, whichever
library asks, ours or another's. What the gate permits is a name for a minute; what may be connected to are the
addresses that this name was resolved to, and none of them inside our own network: a name that turns towards the
inside after it was judged (DNS rebinding) leads nowhere.

PostgreSQL's own library opens its sockets in C and is not seen here: its host is the operator's setting.
"""

import ipaddress
import socket
import sys
import threading
import time
from typing import Any

from headshotly.policy.enforcement import enforces
from headshotly.vendors.decisions import Decision, tell
from headshotly.vendors.errors import EgressRefused

PERMIT_SECONDS = 60.0
ADDRESS_SECONDS = 600.0
_LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname"}
_CONNECTIONS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
# A server played or run on this very machine: what is sent there leaves for nobody.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Where a machine of AWS asks itself for its own credentials; link-local, it cannot lead out of the machine.
OWN_MACHINE = frozenset({"169.254.169.254", "169.254.170.2", "fd00:ec2::254"})

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_HANDED_OUT = ipaddress.IPv6Network("2000::/3")
_RESERVED = (ipaddress.IPv6Network("3fff::/20"),)  # documentation (RFC 9637), which older Pythons take for public


class _Permits:
    """Which names and addresses are open at the moment, in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, tuple[float, bool]] = {}
        self._addresses: dict[str, float] = {}

    def name(self, host: str, *, inside: bool) -> None:
        with self._lock:
            self._names[host.lower()] = (time.monotonic() + PERMIT_SECONDS, inside)

    def holds_name(self, host: str) -> bool:
        until, _ = self._names.get(host.lower(), (0.0, False))
        return until > time.monotonic()

    def learn(self, host: str, addresses: set[str]) -> None:
        """Remember what a permitted name was resolved to.

        Raises:
            EgressRefused: one of them lies inside, and the name is not one that may.
        """
        _, inside = self._names.get(host.lower(), (0.0, False))
        hidden = [one for one in addresses if not is_public(one)]
        if hidden and not inside:
            raise EgressRefused("The name leads to an address inside a network, so nothing was sent.")
        with self._lock:
            now = time.monotonic()
            self._addresses = {one: until for one, until in self._addresses.items() if until > now}
            self._addresses.update(dict.fromkeys(addresses, now + ADDRESS_SECONDS))

    def holds_address(self, address: str) -> bool:
        return self._addresses.get(address, 0.0) > time.monotonic()

    def forget(self) -> None:
        with self._lock:
            self._names.clear()
            self._addresses.clear()


_permits = _Permits()
_installed = threading.Event()


def permit(host: str, *, inside: bool = False) -> None:
    """Let a name be resolved and connected to for a minute; only the gate calls this.

    Args:
        host: lower-case name.
        inside: it may lead to a private address, such as an endpoint of AWS in our own network.
    """
    _permits.name(host, inside=inside)


def forget() -> None:
    """Shut every way out at once."""
    _permits.forget()


def is_public(address: str) -> bool:
    """Say whether an IP address lies on the public internet, not private, loopback, link-local, shared or reserved.

    An IPv6 address that stands for an IPv4 address is judged as that one: where a network translates (NAT64), it leads
    there, and so could lead inside. Of IPv6 only what is handed out at all (2000::/3, RFC 4291) can be public.
    """
    found: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found in _NAT64:
            found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        elif carried := found.ipv4_mapped or found.sixtofour:
            found = carried
        elif found not in _HANDED_OUT or any(found in one for one in _RESERVED):
            return False
    return found.is_global and not found.is_multicast


def _is_this_machine(host: str) -> bool:
    if host in {"", "localhost", "localhost.localdomain", "ip6-localhost"} or host in OWN_MACHINE:
        return True
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host == socket.gethostname()
    return found.is_loopback or found.is_unspecified


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _text(host: Any) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host or "")


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    """Judge one look-up or connection; raising here keeps it from happening."""
    if event in _LOOKUPS:
        host = _text(arguments[0])
        # A written-out address needs no look-up; whether it may be connected to is judged when it is.
        if not (_is_this_machine(host) or _is_address(host) or _permits.holds_name(host)):
            tell(Decision(host=host[:253], opened=False, reason="past"))
            raise EgressRefused("Something tried to reach a host that the gate did not open; nothing was sent.")
    elif event in _CONNECTIONS:
        own_socket, to = arguments[0], arguments[1]
        if own_socket.family not in {socket.AF_INET, socket.AF_INET6} or not isinstance(to, tuple):
            return
        host = _text(to[0])
        if not (_is_this_machine(host) or _permits.holds_address(host)):
            tell(Decision(host=host[:253], opened=False, reason="past"))
            raise EgressRefused("Something tried to reach an address that the gate did not open; nothing was sent.")


@enforces("1.2.d", "9.1.b")
def install() -> None:
    """Guard this process from here on; it cannot be undone, and doing it twice changes nothing."""
    if _installed.is_set():
        return
    _installed.set()
    resolve = socket.getaddrinfo

    def learned(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        found = resolve(host, port, *rest, **named)
        name = _text(host)
        if not _is_this_machine(name) and not _is_address(name):
            _permits.learn(name, {str(one[4][0]) for one in found})
        return found

    socket.getaddrinfo = learned
    sys.addaudithook(_hook)


def installed() -> bool:
    """Say whether this process is guarded."""
    return _installed.is_set()
