"""The pseudonym of a network address: the same address has the same one, and nobody reads the address out of it."""

import functools
import ipaddress

from headshotly.accounts.patience import network
from headshotly.policy.refusal import Refusal
from headshotly.vault import services as vault

UNKNOWN = "ip-unknown"
INNER = "net-"  # before the pseudonym of an address within: a proxy's, or this machine's own
_INNER_NETWORKS = tuple(
    ipaddress.ip_network(one)
    for one in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7")
)


def _is_inner(client: str) -> bool:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return True
    return any(address.version == one.version and address in one for one in _INNER_NETWORKS)


@functools.lru_cache(maxsize=8192)
def _blinded(client: str) -> str:
    prefix = INNER if _is_inner(client) else "ip-"
    return prefix + vault.blind_index(field="incidents.address", value=network(client)).hex()[:24]


def of_address(client: str) -> str:
    """Return the pseudonym of an address; ``UNKNOWN`` where the key cannot be had, so that nobody waits for it."""
    if not client:
        return UNKNOWN
    try:
        return _blinded(client)
    except Refusal:
        return UNKNOWN
