"""The header of a sealed object: whose it is, what for, its wrapped data key, and a commitment to that key.

Published in ``docs/formats/object.md``. Layout: magic, owner, object id, purpose with its length, nonce, wrapped
data key, commitment. The whole header is the body's associated data, so no part can be exchanged for another's.
"""

import hmac
import os
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from headshotly.vault.errors import ObjectDamaged

MAGIC = b"HSOBJ\x00\x01\x00"
KEY = 32
NONCE = 12
WRAPPED = KEY + 16
COMMITMENT = 32
FIXED = len(MAGIC) + 16 + 16 + 1
PURPOSE_MAX = 64
LONGEST = FIXED + PURPOSE_MAX + NONCE + WRAPPED + COMMITMENT
_DAMAGED = "The stored file is damaged or incomplete; nothing of it was opened."
_WRAPPING_INFO = b"headshotly data key wrapping 1"
_COMMITMENT_INFO = b"headshotly object key commitment 1"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A header as read, not yet believed.

    Attributes:
        owner: pseudonym of the data subject.
        object_id: the object's id.
        purpose: what it was sealed for.
        nonce: 12 bytes, of the wrapping.
        wrapped: 48 bytes, the data key under the customer key.
        commitment: 32 bytes derived from the data key.
        raw: the header's bytes.
    """

    owner: UUID
    object_id: UUID
    purpose: str
    nonce: bytes
    wrapped: bytes
    commitment: bytes
    raw: bytes


def _bound(owner: UUID, object_id: UUID, purpose: str) -> bytes:
    name = purpose.encode()
    if not 0 < len(name) <= PURPOSE_MAX:
        raise ValueError(f"a purpose has 1 to {PURPOSE_MAX} bytes")
    return MAGIC + owner.bytes + object_id.bytes + bytes([len(name)]) + name


def _commitment(data_key: bytes, bound: bytes) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=COMMITMENT, info=_COMMITMENT_INFO + bound).derive(data_key)


def _wrapping(customer_key: bytes) -> AESGCM:
    return AESGCM(HKDFExpand(algorithm=SHA256(), length=KEY, info=_WRAPPING_INFO).derive(customer_key))


def make(*, owner: UUID, object_id: UUID, purpose: str, customer_key: bytes) -> tuple[bytes, bytes]:
    """Return a fresh data key (32 bytes) and the header that wraps it."""
    bound = _bound(owner, object_id, purpose)
    data_key, nonce = os.urandom(KEY), os.urandom(NONCE)
    wrapped = _wrapping(customer_key).encrypt(nonce, data_key, bound)
    return data_key, bound + nonce + wrapped + _commitment(data_key, bound)


def read(head: bytes) -> Envelope:
    """Read a header from the beginning of a file.

    Args:
        head: the file's first ``LONGEST`` bytes, or all of it.

    Raises:
        ObjectDamaged: it is not one.
    """
    if len(head) < FIXED or not head.startswith(MAGIC):
        raise ObjectDamaged("The stored file is not a sealed object.")
    name_length = head[FIXED - 1]
    length = FIXED + name_length + NONCE + WRAPPED + COMMITMENT
    if not 0 < name_length <= PURPOSE_MAX or len(head) < length:
        raise ObjectDamaged(_DAMAGED)
    name, tail = head[FIXED : FIXED + name_length], head[FIXED + name_length : length]
    try:
        purpose = name.decode()
    except UnicodeDecodeError:
        raise ObjectDamaged(_DAMAGED) from None
    owner_at = len(MAGIC)
    return Envelope(
        owner=UUID(bytes=head[owner_at : owner_at + 16]),
        object_id=UUID(bytes=head[owner_at + 16 : owner_at + 32]),
        purpose=purpose,
        nonce=tail[:NONCE],
        wrapped=tail[NONCE : NONCE + WRAPPED],
        commitment=tail[NONCE + WRAPPED :],
        raw=head[:length],
    )


def unwrap(envelope: Envelope, *, owner: UUID, object_id: UUID, purpose: str, customer_key: bytes) -> bytes:
    """Return the data key after checking that the header is the expected one.

    Args:
        envelope: the header as read.
        owner: whose object is expected.
        object_id: which object is expected.
        purpose: what it was sealed for.
        customer_key: 32 bytes.

    Raises:
        ObjectDamaged: the header belongs to another object, was changed, or does not commit to its key.
    """
    bound = _bound(owner, object_id, purpose)
    if not hmac.compare_digest(envelope.raw[: len(bound)], bound):
        raise ObjectDamaged("The stored file is another object's.")
    try:
        data_key = _wrapping(customer_key).decrypt(envelope.nonce, envelope.wrapped, bound)
    except InvalidTag:
        raise ObjectDamaged(_DAMAGED) from None
    # AES-GCM alone lets one ciphertext open under two keys; the commitment does not.
    if not hmac.compare_digest(envelope.commitment, _commitment(data_key, bound)):
        raise ObjectDamaged(_DAMAGED)
    return data_key
