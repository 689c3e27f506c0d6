"""The journal's two secrets: the key that signs heads, and the key that tags waiting entries.

Each is a file of its own, readable by its owner only, made on first use.
"""

import hashlib
import hmac
import os
from functools import cache
from pathlib import Path
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from headshotly.audit.checkpoint import raw_public_key, verifier_key
from headshotly.audit.errors import JournalUnavailable
from headshotly.policy import configuration

ORIGIN = "headshotly.ai/journal"
_SEED_BYTES = 32


def _path(option: str, default: str) -> Path:
    here = configuration.current()
    return _file(here.options.get(option, ""), here.data_folder, default)


@cache  # asked for each entry, and putting a path together takes longer than tagging it
def _file(named: str, folder: Path, default: str) -> Path:
    return Path(named) if named else folder / default


@cache
def _seed(path: Path) -> bytes:
    """Return the 32 secret bytes of a file, made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _make(path)
    seed = path.read_bytes()
    if len(seed) != _SEED_BYTES:
        raise JournalUnavailable(f"The journal's key file {path.name} is damaged; restore it from its copy.")
    return seed


def _make(path: Path) -> None:
    """Write a new secret; of two makers the first link wins. A crash before it leaves a scratch file nobody reads."""
    scratch = path.with_name(f".{path.name}.{uuid4().hex}")  # machines that share the disk have the same process ids
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(_SEED_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(scratch, path)
    except FileExistsError:
        pass
    finally:
        scratch.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def signing_key() -> Ed25519PrivateKey:
    """Return the key that signs checkpoints. Option ``journal.key_file`` names another file."""
    return Ed25519PrivateKey.from_private_bytes(_seed(_path("journal.key_file", "journal-key")))


def public_key() -> bytes:
    """Return the 32 bytes of the public half."""
    return raw_public_key(signing_key())


def published_key() -> str:
    """Return the verifier key as auditors pin it."""
    return verifier_key(ORIGIN, public_key())


def outbox_tag(leaf: bytes) -> bytes:
    """Return the 32-byte HMAC-SHA-256 that goes with a waiting entry.

    Whoever can write to the database but not read this key cannot change an entry before it is sequenced without
    being found. Option ``journal.outbox_key_file`` names another file.
    """
    return hmac.digest(_seed(_path("journal.outbox_key_file", "journal-outbox-key")), leaf, hashlib.sha256)


def files() -> dict[str, Path]:
    """Return the files of both secrets by name, for the backup of the service."""
    return {
        "journal-key": _path("journal.key_file", "journal-key"),
        "journal-outbox-key": _path("journal.outbox_key_file", "journal-outbox-key"),
    }


def forget() -> None:
    """Forget what was read of the files, after a restore has put others in their place."""
    _seed.cache_clear()
