"""The signed manifest of a backup: small, readable by anybody, forgeable by nobody without the backups' key."""

import base64
import datetime as dt
import json
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from headshotly.continuity.contents import Blob
from headshotly.continuity.errors import BackupDamaged
from headshotly.policy.enforcement import enforces

FORMAT = "headshotly-backup-1"
PREFIX = "manifests/"
_FORGED = "A manifest in the backup store is damaged or forged; it was not used."


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        backup: its id.
        repository: id of the repository, for its key.
        key: the repository's secret as the key service wrapped it, hexadecimal.
        generation: one more than the backup before; orders backups whatever the clocks said.
        environment: where it was made.
        engine: ``sqlite`` or ``postgresql``.
        began_at: aware UTC, ISO 8601.
        snapshot_at: the moment the databases were copied; aware UTC, ISO 8601.
        checkpoint: the journal's newest signed head before that moment, a signed note; empty for an empty journal.
        contents: SHA-256 of the sealed list of contents, hexadecimal.
        contents_size: its bytes.
        contents_locked_until: as ``Blob.locked_until``.
        objects: how many sealed objects it holds.
        object_bytes: their bytes.
        database_bytes: bytes of the databases before compression.
        missing: how many objects the database named and the object store did not have.
    """

    backup: str
    repository: str
    key: str
    generation: int
    environment: str
    engine: str
    began_at: str
    snapshot_at: str
    checkpoint: str
    contents: str
    contents_size: int
    contents_locked_until: int
    objects: int
    object_bytes: int
    database_bytes: int
    missing: int

    @property
    def id(self) -> UUID:
        """Return the backup's id."""
        return UUID(self.backup)

    @property
    def moment(self) -> dt.datetime:
        """Return the moment it takes one back to."""
        return dt.datetime.fromisoformat(self.snapshot_at)

    @property
    def name(self) -> str:
        """Return the name it is kept under."""
        return f"{PREFIX}{self.generation:010}-{self.backup}.json"

    @property
    def wrapped(self) -> bytes:
        """Return the repository's secret as the key service wrapped it on the day of the backup."""
        return bytes.fromhex(self.key)

    @property
    def contents_blob(self) -> Blob:
        """Return where the list of contents is."""
        return Blob(bytes.fromhex(self.contents), self.contents_size, self.contents_locked_until)


def canonical(document: dict[str, Any]) -> bytes:
    """Return the bytes that are signed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def sign(document: dict[str, Any], key: Ed25519PrivateKey) -> bytes:
    """Return a document with its signature, as JSON for people and programs."""
    signature = base64.b64encode(key.sign(canonical(document))).decode()
    return json.dumps({"signed": document, "signature": signature}, indent=1, sort_keys=True).encode()


def require_signature(signed: bytes, key: Ed25519PublicKey) -> dict[str, Any]:
    """Return the document in ``sign``'s result.

    Raises:
        BackupDamaged: it is no such thing, or the signature is not by this key.
    """
    document, signature = _parts(signed)
    try:
        key.verify(signature, canonical(document))
    except InvalidSignature as error:
        raise BackupDamaged(_FORGED) from error
    return document


def _parts(signed: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        outer = json.loads(signed)
        document: dict[str, Any] = outer["signed"]
        return document, base64.b64decode(outer["signature"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BackupDamaged(_FORGED) from error


@enforces("6.1.a")
def write(manifest: Manifest, key: Ed25519PrivateKey) -> bytes:
    """Return the signed manifest."""
    return sign({"format": FORMAT, **asdict(manifest)}, key)


def peek(signed: bytes) -> Manifest:
    """Return a manifest whose signature nobody has checked yet, to find the key that checks it.

    Raises:
        BackupDamaged: it is no manifest.
    """
    return _manifest(_parts(signed)[0])


def read(signed: bytes, key: Ed25519PublicKey) -> Manifest:
    """Return a manifest whose signature holds.

    Raises:
        BackupDamaged: it is no manifest, or not signed by this key.
    """
    return _manifest(require_signature(signed, key))


def _manifest(document: dict[str, Any]) -> Manifest:
    fields = dict(document)
    try:
        if fields.pop("format") != FORMAT:
            raise BackupDamaged("A manifest in the backup store has a format that this version does not know.")
        manifest = Manifest(**fields)
        if not manifest.wrapped or manifest.moment.tzinfo is None or len(bytes.fromhex(manifest.contents)) != 32:  # noqa: PLR2004 - SHA-256
            raise BackupDamaged(_FORGED)
        return Manifest(**{**fields, "backup": str(manifest.id), "repository": str(UUID(manifest.repository))})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupDamaged(_FORGED) from error
