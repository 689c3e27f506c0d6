"""The vault's own secrets (warrant key, blind-index key, receipt key), kept in the key store like customer keys.

A secret is one value of 32 bytes or several, the newest first: older ones stay readable until they are dropped.
"""

import os
from uuid import NAMESPACE_URL, UUID, uuid5

from headshotly.vault import wrapped_keys
from headshotly.vault.errors import StoreUnavailable

NAMES = ("warrants", "blind-index", "receipts")
_LENGTH = 32


def key_id(name: str) -> UUID:
    """Return the id a secret has in the key store.

    Raises:
        ValueError: there is no such secret.
    """
    if name not in NAMES:
        raise ValueError(f"the vault has no secret “{name}”")
    return uuid5(NAMESPACE_URL, f"headshotly:secret:{name}")


def context(name: str) -> dict[str, str]:
    """Return what a secret's wrapping is bound to."""
    return {"secret": name, "use": "service-secret"}


def values(name: str) -> list[bytes]:
    """Return every value of a secret, the newest first; the first one is made when there is none.

    Raises:
        ValueError: there is no such secret.
        KeyServiceUnavailable: the key service did not unwrap it.
        StoreUnavailable: the key store did not answer.
    """
    held = wrapped_keys.plain(key_id(name), context(name))
    if held is None:
        # Of two makers the first one's is kept, and both read it.
        wrapped_keys.add(key_id(name), os.urandom(_LENGTH), context(name))
        held = wrapped_keys.plain(key_id(name), context(name))
    if held is None:
        raise StoreUnavailable("The key store did not keep a secret of the service. Please try again.")
    return [held[start : start + _LENGTH] for start in range(0, len(held), _LENGTH)]


def secret(name: str) -> bytes:
    """Return a secret's newest value (32 bytes)."""
    return values(name)[0]


def renew(name: str) -> None:
    """Put a fresh value before the others. One step: a crash leaves the old values or the new ones.

    Raises:
        StoreUnavailable: somebody else renewed it at the same moment.
    """
    held = b"".join(values(name))
    if not wrapped_keys.change(key_id(name), os.urandom(_LENGTH) + held, context(name)):
        raise StoreUnavailable("Somebody else renewed this secret at the same moment.")


def drop_older(name: str) -> None:
    """Forget every value but the newest.

    Raises:
        StoreUnavailable: somebody else changed it at the same moment.
    """
    newest, *older = values(name)
    if older and not wrapped_keys.change(key_id(name), newest, context(name)):
        raise StoreUnavailable("Somebody else changed this secret at the same moment.")
