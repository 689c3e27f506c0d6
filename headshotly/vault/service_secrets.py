"""The vault's own secrets (warrant key, blind-index key, receipt key), wrapped under the root like everything else."""

import os
import secrets
from functools import cache
from pathlib import Path

from headshotly.policy import configuration
from headshotly.vault import durable, wiring

NAMES = ("warrants", "blind-index", "receipts")


def _path(name: str) -> Path:
    return configuration.current().data_folder / "secrets" / f"{name}.wrapped"


def _context(name: str) -> dict[str, str]:
    return {"secret": name, "use": "service-secret"}


def secret(name: str) -> bytes:
    """Return a secret of 32 bytes, made on first use.

    Args:
        name: one of ``NAMES``.

    Raises:
        ValueError: there is no such secret.
    """
    if name not in NAMES:
        raise ValueError(f"the vault has no secret “{name}”")
    return _load(name, _path(name))


@cache
def _load(name: str, path: Path) -> bytes:
    service = wiring.key_service()
    if not path.exists():
        # A crash before the link leaves a scratch file; two makers race, the first link wins and both read it.
        scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        durable.write(scratch, [service.wrap(os.urandom(32), _context(name))])
        try:
            os.link(scratch, path)
            durable.sync_folder(path.parent)
        except FileExistsError:
            pass
        finally:
            scratch.unlink()
    return service.unwrap(path.read_bytes(), _context(name))


def rewrap(name: str) -> bool:
    """Wrap a secret anew under the current root, unless it already is; return whether it had to be."""
    path, service = _path(name), wiring.key_service()
    if not path.exists():
        return False
    blob = path.read_bytes()
    if service.root_of(blob) == service.current_root():
        return False
    durable.write(path, [service.wrap(service.unwrap(blob, _context(name)), _context(name))])
    return True


def roots_in_use() -> set[str]:
    """Return the ids of the roots that wrap a secret."""
    service = wiring.key_service()
    return {service.root_of(_path(name).read_bytes()) for name in NAMES if _path(name).exists()}
