"""What is in a backup: the sealed list beside the manifest. Written in docs/formats/backup.md."""

import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from headshotly.continuity.errors import BackupDamaged

FORMAT = "headshotly-backup-contents-1"
_RECORD = struct.Struct(">16s16s32sQI")


@dataclass(frozen=True, slots=True)
class Blob:
    """Something a repository keeps under the SHA-256 of its bytes.

    Attributes:
        digest: 32 bytes.
        size: in bytes.
        locked_until: day number (days since 1970-01-01) up to which stores with a lock hold it; 0 where none does.
    """

    digest: bytes
    size: int
    locked_until: int = 0

    @property
    def name(self) -> str:
        """Return the name it is kept under."""
        return f"blobs/{self.digest.hex()[:2]}/{self.digest.hex()}"


@dataclass(frozen=True, slots=True)
class StoredCopy:
    """A sealed object in a backup.

    Attributes:
        subject: whose it is.
        object_id: its id.
        blob: its bytes, ciphertext as the object store has them.
    """

    subject: UUID
    object_id: UUID
    blob: Blob


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a database or file.

    Attributes:
        id: 32 bytes; the keyed name of its plaintext.
        blob: its sealed bytes.
    """

    id: bytes
    blob: Blob


@dataclass(frozen=True, slots=True)
class Piecewise:
    """A database or file, in pieces.

    Attributes:
        size: of the plaintext in bytes.
        sha256: of the plaintext, hexadecimal.
        chunks: in order.
    """

    size: int
    sha256: str
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything in a backup.

    Attributes:
        databases: name → its snapshot.
        files: name → a small file of the service, such as the journal's signing key.
        objects: sealed objects.
        missing: ids of objects that the database named and that the object store did not have.
        migrations: the migrations the database had, as ``app.name``.
    """

    databases: dict[str, Piecewise]
    files: dict[str, Piecewise]
    objects: tuple[StoredCopy, ...]
    missing: tuple[UUID, ...] = ()
    migrations: tuple[str, ...] = field(default=())

    def blobs(self) -> Iterable[Blob]:
        """Yield every blob the backup needs besides this list itself; one may come twice."""
        for part in (*self.databases.values(), *self.files.values()):
            for chunk in part.chunks:
                yield chunk.blob
        for copy in self.objects:
            yield copy.blob

    def encode(self) -> bytes:
        """Return one line of JSON, then 76 bytes for each object."""
        head = {
            "format": FORMAT,
            "databases": {name: _plain(part) for name, part in self.databases.items()},
            "files": {name: _plain(part) for name, part in self.files.items()},
            "objects": len(self.objects),
            "missing": [str(one) for one in self.missing],
            "migrations": list(self.migrations),
        }
        lines = [json.dumps(head, separators=(",", ":")).encode(), b"\n"]
        for one in self.objects:
            blob = one.blob
            packed = _RECORD.pack(one.subject.bytes, one.object_id.bytes, blob.digest, blob.size, blob.locked_until)
            lines.append(packed)
        return b"".join(lines)


def _plain(part: Piecewise) -> dict[str, object]:
    return {
        "size": part.size,
        "sha256": part.sha256,
        "chunks": [
            [chunk.id.hex(), chunk.blob.digest.hex(), chunk.blob.size, chunk.blob.locked_until] for chunk in part.chunks
        ],
    }


def _part(plain: dict[str, object]) -> Piecewise:
    rows: list[list[object]] = list(plain["chunks"])  # type: ignore[call-overload]
    chunks = tuple(
        Chunk(bytes.fromhex(str(name)), Blob(bytes.fromhex(str(digest)), int(str(size)), int(str(day))))
        for name, digest, size, day in rows
    )
    return Piecewise(int(str(plain["size"])), str(plain["sha256"]), chunks)


def decode(encoded: bytes) -> Contents:
    """Read what ``Contents.encode`` wrote.

    Raises:
        BackupDamaged: it is something else.
    """
    line, end, records = encoded.partition(b"\n")
    try:
        head = json.loads(line)
        if head["format"] != FORMAT or not end or len(records) != head["objects"] * _RECORD.size:
            raise BackupDamaged("The list of a backup's contents has another format, or is cut short.")
        return Contents(
            databases={name: _part(part) for name, part in head["databases"].items()},
            files={name: _part(part) for name, part in head["files"].items()},
            objects=tuple(
                StoredCopy(UUID(bytes=subject), UUID(bytes=object_id), Blob(digest, size, day))
                for subject, object_id, digest, size, day in _RECORD.iter_unpack(records)
            ),
            missing=tuple(UUID(one) for one in head["missing"]),
            migrations=tuple(head["migrations"]),
        )
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise BackupDamaged("The list of a backup's contents cannot be read.") from error
