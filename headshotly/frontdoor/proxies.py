"""Whose request it is behind a load balancer: what forwarded headers say counts only where a proxy of ours says it.

Without the option ``proxies.trusted`` nobody is believed, and the address of the connection is the client's.
"""

import ipaddress
from collections.abc import Callable
from functools import lru_cache

from django.http import HttpRequest, HttpResponseBase

from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_HOPS_MAX = 20


@lru_cache(maxsize=8)
def networks(named: str) -> tuple[Network, ...]:
    """Return the networks that an option names.

    Args:
        named: CIDRs by commas, such as ``10.20.0.0/24,fd00::/64``; empty for none.

    Raises:
        Refusal: one is no network, or is so wide that everybody would be a proxy.
    """
    found: list[Network] = []
    for one in filter(None, (part.strip() for part in named.split(","))):
        try:
            network = ipaddress.ip_network(one)
        except ValueError:
            raise Refusal(
                f"“{one}” in proxies.trusted is no network such as 10.20.0.0/24.", code="proxies.no_network"
            ) from None
        if network.prefixlen == 0:
            raise Refusal(
                "proxies.trusted names every address there is; then anybody could forge theirs.", code="proxies.all"
            )
        found.append(network)
    return tuple(found)


def trusted() -> tuple[Network, ...]:
    """Return the networks whose forwarded headers are believed; raises as ``networks`` does."""
    return networks(configuration.current().options.get("proxies.trusted", ""))


def _address(written: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address as proxies write it, with brackets and port or without; None where it is none."""
    text = written.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _among(address: object, among: tuple[Network, ...]) -> bool:
    return any(
        address.version == one.version and address in one
        for one in among
        if isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address)
    )


def is_trusted(peer: str, among: tuple[Network, ...]) -> bool:
    """Say whether the other end of a connection is a proxy of ours."""
    return _among(_address(peer), among)


def client_of(peer: str, forwarded: str, among: tuple[Network, ...]) -> str:
    """Return the address of the client.

    Each proxy writes at the end whom it got the request from. So it is read from the end: the first address that is no
    proxy of ours is the client; whatever stands before it, the client wrote itself.

    Args:
        peer: the other end of the connection.
        forwarded: value of ``X-Forwarded-For``.
        among: networks of our proxies.

    Returns:
        The client's address; the peer's where it is no proxy of ours, or ours said nothing that can be read.
    """
    if not is_trusted(peer, among):
        return peer
    client = peer
    for written in reversed(forwarded.split(",")[-_HOPS_MAX:]):
        address = _address(written)
        if address is None:
            break
        client = str(address)
        if not _among(address, among):
            break
    return client


@enforces("2.3.b", "3.1.b")
class BehindProxies:
    """Puts the client's address and scheme where the rest of the house looks for them; the outermost of all.

    Limits, blocks, events and devices read ``REMOTE_ADDR`` and nothing else.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Refuse to start on an option that cannot be read."""
        self._get_response = get_response
        trusted()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        among = trusted()
        peer = str(request.META.get("REMOTE_ADDR", ""))
        if among and is_trusted(peer, among):
            request.META["REMOTE_ADDR"] = client_of(peer, request.META.get("HTTP_X_FORWARDED_FOR", ""), among)
            said = request.META.get("HTTP_X_FORWARDED_PROTO", "").strip().lower()
            if said:
                # ``request.scheme`` reads it there; whatever is not plainly https is not secure.
                request.META["wsgi.url_scheme"] = "https" if said == "https" else "http"
        return self._get_response(request)
