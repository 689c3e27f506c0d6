"""The pseudonym of a network address: the same address has the same one, and nobody reads the address out of it."""

import functools

from headshotly.accounts.patience import network
from headshotly.policy.refusal import Refusal
from headshotly.vault import services as vault

UNKNOWN = "ip-unknown"


@functools.lru_cache(maxsize=8192)
def _blinded(client: str) -> str:
    return "ip-" + vault.blind_index(field="incidents.address", value=network(client)).hex()[:24]


def of_address(client: str) -> str:
    """Return the pseudonym of an address; ``UNKNOWN`` where the key cannot be had, so that nobody waits for it."""
    if not client:
        return UNKNOWN
    try:
        return _blinded(client)
    except Refusal:
        return UNKNOWN
