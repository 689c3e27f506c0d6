"""How a personal field is sealed, and the blind index by which it is found."""

import hashlib
import hmac
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from headshotly.policy.enforcement import enforces
from headshotly.vault import service_secrets
from headshotly.vault.errors import ObjectDamaged

_VERSION = b"\x01"
_NONCE = 12


def _cipher(customer_key: bytes) -> AESGCM:
    return AESGCM(HKDFExpand(algorithm=SHA256(), length=32, info=b"headshotly fields 1").derive(customer_key))


def _bound(subject: UUID, field: str) -> bytes:
    return _VERSION + subject.bytes + field.encode()


@enforces("3.2.a")
def seal(text: str, *, subject: UUID, field: str, customer_key: bytes) -> bytes:
    """Return a field's text sealed under the customer key, bound to the subject and the field's name."""
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + _cipher(customer_key).encrypt(nonce, text.encode(), _bound(subject, field))


def unseal(sealed: bytes, *, subject: UUID, field: str, customer_key: bytes) -> str:
    """Return the text of a sealed field.

    Raises:
        ObjectDamaged: it was changed, or belongs to another subject or field.
    """
    nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
    if sealed[:1] != _VERSION or len(nonce) < _NONCE:
        raise ObjectDamaged("A sealed field is damaged; nothing of it was opened.")
    try:
        return _cipher(customer_key).decrypt(nonce, body, _bound(subject, field)).decode()
    except InvalidTag:
        raise ObjectDamaged("A sealed field is damaged; nothing of it was opened.") from None


def _index(key: bytes, field: str, value: str) -> bytes:
    if "\x00" in field:
        raise ValueError("a field's name holds no zero byte; it ends the name")
    return hmac.new(key, f"{field}\x00{value}".encode(), hashlib.sha256).digest()


def blind_index(*, field: str, value: str) -> bytes:
    """Return 32 bytes by which equal values are found without being stored.

    Args:
        field: the field's name; the same value in two fields gives two indexes.
        value: already normalised by the caller.
    """
    return _index(service_secrets.secret("blind-index"), field, value)


def blind_indexes(*, field: str, value: str) -> tuple[bytes, ...]:
    """Return the index under the newest key and under every older one not yet dropped, newest first, for looking up."""
    return tuple(_index(key, field, value) for key in service_secrets.values("blind-index"))
