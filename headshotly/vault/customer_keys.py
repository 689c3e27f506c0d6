"""Customer keys: one for each data subject, made once, destroyed for good."""

import os
from uuid import UUID

from headshotly.policy.enforcement import enforces
from headshotly.vault import wiring, wrapped_keys
from headshotly.vault.errors import KeyShredded

KEY = 32


def context(subject: UUID) -> dict[str, str]:
    """Return what a customer key's wrapping is bound to."""
    return {"subject": str(subject), "use": "customer-key"}


def create(subject: UUID) -> bool:
    """Make the customer key, unless there is one; return whether it was made.

    Raises:
        KeyShredded: the subject was erased; a pseudonym is never used again.
    """
    if wiring.erasure_ledger().holds(subject):
        raise KeyShredded("This customer was erased and cannot come back under the same pseudonym.")
    return wrapped_keys.add(subject, os.urandom(KEY), context(subject))


@enforces("3.2.b")
def plain(subject: UUID) -> bytes:
    """Return the customer key (32 bytes).

    Raises:
        KeyShredded: there is no key, or the ledger says that its owner was erased, whatever a backup brought back.
        KeyServiceUnavailable: the key service did not unwrap it.
        StoreUnavailable: the key store did not answer.
    """
    key = None if wiring.erasure_ledger().holds(subject) else wrapped_keys.plain(subject, context(subject))
    if key is None:
        wrapped_keys.flush(subject)
        raise KeyShredded("This data was deleted for good; its key no longer exists.")
    return key


def exists(subject: UUID) -> bool:
    """Say whether data may be sealed for a subject: there is a key, and the ledger does not name them."""
    return not wiring.erasure_ledger().holds(subject) and wiring.key_store().get(subject) is not None


def destroy(subject: UUID) -> None:
    """Destroy the customer key in every replica."""
    wrapped_keys.destroy(subject)
