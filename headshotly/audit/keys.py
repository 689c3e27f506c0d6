"""The journal's signing key: a file of its own, readable by its owner only, made on first use."""

import os
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from headshotly.audit.checkpoint import raw_public_key, verifier_key
from headshotly.policy import configuration

ORIGIN = "headshotly.ai/journal"
_SEED_BYTES = 32


def _path() -> Path:
    return configuration.current().data_folder / "journal-key"


@cache
def _load(path: Path) -> Ed25519PrivateKey:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    if not path.exists():
        # A crash before the link leaves a scratch file nobody reads; two makers race and the first link wins.
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Ed25519PrivateKey.generate().private_bytes_raw())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(scratch, path)
        except FileExistsError:
            pass
        finally:
            scratch.unlink()
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes()[:_SEED_BYTES])


def signing_key() -> Ed25519PrivateKey:
    """Return the key that signs checkpoints."""
    return _load(_path())


def public_key() -> bytes:
    """Return the 32 bytes of the public half."""
    return raw_public_key(signing_key())


def published_key() -> str:
    """Return the verifier key as auditors pin it."""
    return verifier_key(ORIGIN, public_key())
