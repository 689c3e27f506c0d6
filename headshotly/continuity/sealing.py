"""The key of a repository, and sealing with it in the vault's own format (docs/formats/object.md).

The secret is drawn once, wrapped by the backups' own root key in the key service, and written into every manifest;
``wrappings`` keeps it under the roots that came after.
Three keys come from it: one seals, one names chunks, one signs. Whoever can unwrap it can check a manifest; whoever
cannot can neither read a backup nor forge one.
"""

import hashlib
import hmac
import os
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import IO
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from headshotly.continuity.errors import BackupDamaged
from headshotly.policy.enforcement import enforces
from headshotly.vault import envelope, streaming
from headshotly.vault.errors import ObjectDamaged
from headshotly.vault.keyservice import KeyService

_SECRET = 32
_COMPRESSION = 1  # the quickest; what matters most in a database, ciphertext, does not shrink at all


@dataclass(frozen=True)
class RepositoryKey:
    """The secret of a repository.

    Attributes:
        repository: its id.
        wrapped: the secret as the key service wrapped it.
        secret: 32 bytes.
    """

    repository: UUID
    wrapped: bytes
    secret: bytes

    def _derive(self, use: str) -> bytes:
        return HKDFExpand(algorithm=SHA256(), length=32, info=f"headshotly backup {use} 1".encode()).derive(self.secret)

    @cached_property
    def sealing(self) -> bytes:
        """Return the key that wraps data keys."""
        return self._derive("sealing")

    @cached_property
    def naming(self) -> bytes:
        """Return the key that names chunks."""
        return self._derive("naming")

    @cached_property
    def signing(self) -> Ed25519PrivateKey:
        """Return the key that signs manifests and records."""
        return Ed25519PrivateKey.from_private_bytes(self._derive("signing"))


def context(repository: UUID) -> dict[str, str]:
    """Return what the wrapping of a repository's secret is bound to."""
    return {"repository": str(repository), "use": "backup-repository"}


def new_key(service: KeyService) -> RepositoryKey:
    """Draw the secret of a new repository.

    Raises:
        KeyServiceUnavailable: the key service did not wrap it.
    """
    repository, secret = uuid4(), os.urandom(_SECRET)
    return RepositoryKey(repository, service.wrap(secret, context(repository)), secret)


def unwrap_key(service: KeyService, repository: UUID, wrapped: bytes) -> RepositoryKey:
    """Return the key of a repository from a manifest.

    Raises:
        KeyServiceUnavailable: the key service does not unwrap it: a wrong or retired root key.
    """
    return RepositoryKey(repository, wrapped, service.unwrap(wrapped, context(repository)))


@enforces("6.1.a")
def seal(key: RepositoryKey, plaintext: bytes, *, purpose: str) -> bytes:
    """Return bytes compressed and sealed under a data key of their own."""
    packed = zlib.compress(plaintext, _COMPRESSION)
    data_key, header = envelope.make(owner=key.repository, object_id=uuid4(), purpose=purpose, customer_key=key.sealing)
    body = bytearray(streaming.sealed_length(len(packed)))
    streaming.seal_into(packed, data_key, header, memoryview(body))
    return header + bytes(body)


def unseal(key: RepositoryKey, sealed: bytes, *, purpose: str) -> bytes:
    """Return what was sealed.

    Raises:
        BackupDamaged: it is not what was sealed, or was sealed for something else.
    """
    file = streaming.MemoryFile(sealed)
    try:
        header = envelope.read(bytes(file.view(0, envelope.LONGEST)))
        data_key = envelope.unwrap(
            header, owner=key.repository, object_id=header.object_id, purpose=purpose, customer_key=key.sealing
        )
        opener = streaming.Opener(file, start=len(header.raw), data_key=data_key, associated=header.raw)
        return zlib.decompress(opener.read_all())
    except (ObjectDamaged, zlib.error) as error:
        raise BackupDamaged("A part of the backup is not what was written.") from error


def chunk_id(key: RepositoryKey, plaintext: bytes) -> bytes:
    """Return the 32 bytes that name a piece of a database by its content, meaningless without the key."""
    return hmac.digest(key.naming, plaintext, hashlib.sha256)


def chunks(source: IO[bytes], size: int) -> list[bytes]:
    """Return the next few chunks of a source: up to 64 of ``size`` bytes; none at its end."""
    found: list[bytes] = []
    while len(found) < 64 and (piece := _exactly(source, size)):  # noqa: PLR2004 - bounds the memory, see above
        found.append(piece)
    return found


def _exactly(source: IO[bytes], size: int) -> bytes:
    parts: list[bytes] = []
    missing = size
    while missing and (piece := source.read(missing)):
        parts.append(piece)
        missing -= len(piece)
    return b"".join(parts)
