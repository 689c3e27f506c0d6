"""The key management service: keeps root keys, wraps and unwraps with them, never shows them (clause 3.2.b)."""

import json
import os
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vault import durable
from headshotly.vault.errors import KeyServiceUnavailable

type Context = Mapping[str, str]

_ROOT_ID = 8
_NONCE = 12


class KeyService(Protocol):
    """What the vault needs of a KMS. Every wrapped blob names the root it was made with."""

    def wrap(self, key: bytes, context: Context) -> bytes:
        """Return ``key`` encrypted under the current root, bound to ``context``."""

    def unwrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key in a blob; the context must be the same.

        Raises:
            KeyServiceUnavailable: the root is retired, the blob or context is wrong, or the service is down.
        """

    def current_root(self) -> str:
        """Return the id of the root that ``wrap`` uses."""

    def root_of(self, blob: bytes) -> str:
        """Return the id of the root a blob was made with."""

    def new_root(self) -> str:
        """Make a new root and use it from now on; older ones still unwrap."""

    def retire(self, root: str) -> None:
        """Destroy a root that is not the current one: what it wrapped is gone for ever. Repeating is harmless."""


def _canonical(context: Context) -> bytes:
    return json.dumps(dict(context), sort_keys=True, separators=(",", ":")).encode()


@enforces("3.2.b")
class EmbeddedKeyService:
    """Root keys in a file readable by its owner only: the default for one machine.

    The file holds ``current`` and ``roots`` (id → hex key and time made). It is written atomically and durably, so
    that a crash leaves the old set or the new one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def _read(self) -> dict[str, dict[str, dict[str, str]] | str]:
        try:
            mode = self._path.stat().st_mode
            if mode & 0o077:
                raise KeyServiceUnavailable(
                    f"The root key file {self._path.name} can be read by others; its mode must be 0600."
                )
            document: dict[str, dict[str, dict[str, str]] | str] = json.loads(self._path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return self._first()
        except (OSError, ValueError) as error:
            raise KeyServiceUnavailable("The root keys cannot be read, so nothing can be opened.") from error
        return document

    def _first(self) -> dict[str, dict[str, dict[str, str]] | str]:
        """Make the first root. Two processes may race: the first link wins and both read it."""
        document = self._with_new_root({"roots": {}})
        scratch = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        durable.write(scratch, [json.dumps(document).encode()])
        try:
            os.link(scratch, self._path)
            durable.sync_folder(self._path.parent)
        except FileExistsError:
            return self._read()
        finally:
            scratch.unlink()
        return document

    @staticmethod
    def _with_new_root(
        document: dict[str, dict[str, dict[str, str]] | str],
    ) -> dict[str, dict[str, dict[str, str]] | str]:
        root = secrets.token_hex(_ROOT_ID)
        roots = document["roots"]
        if not isinstance(roots, dict):
            raise KeyServiceUnavailable("The root keys cannot be read, so nothing can be opened.")
        fresh = {"key": secrets.token_hex(32), "made_at": clock.now().isoformat()}
        return {"current": root, "roots": {**roots, root: fresh}}

    def _key(self, root: str) -> AESGCM:
        roots = self._read()["roots"]
        if not isinstance(roots, dict) or root not in roots:
            raise KeyServiceUnavailable("The root key this was sealed under is retired.")
        return AESGCM(bytes.fromhex(roots[root]["key"]))

    def wrap(self, key: bytes, context: Context) -> bytes:
        """Return ``key`` encrypted under the current root, bound to ``context``."""
        root = self.current_root()
        nonce = os.urandom(_NONCE)
        return bytes.fromhex(root) + nonce + self._key(root).encrypt(nonce, key, _canonical(context))

    def unwrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key in a blob; see ``KeyService``."""
        nonce, sealed = blob[_ROOT_ID : _ROOT_ID + _NONCE], blob[_ROOT_ID + _NONCE :]
        try:
            return self._key(self.root_of(blob)).decrypt(nonce, sealed, _canonical(context))
        except (InvalidTag, ValueError) as error:
            raise KeyServiceUnavailable("The key service refused to unwrap this key.") from error

    def current_root(self) -> str:
        """Return the id of the root that ``wrap`` uses."""
        current = self._read()["current"]
        return str(current)

    def root_of(self, blob: bytes) -> str:
        """Return the id of the root a blob was made with."""
        return blob[:_ROOT_ID].hex()

    def made_at(self, root: str) -> str:
        """Return when a root was made, ISO 8601; the rotation check reads it."""
        roots = self._read()["roots"]
        if not isinstance(roots, dict):
            raise KeyServiceUnavailable("The root keys cannot be read, so nothing can be opened.")
        return roots[root]["made_at"]

    def new_root(self) -> str:
        """Make a new root and use it from now on."""
        with self._lock:
            document = self._with_new_root(self._read())
            durable.write(self._path, [json.dumps(document).encode()])
        return str(document["current"])

    def retire(self, root: str) -> None:
        """Destroy a root that is not the current one.

        Raises:
            ValueError: it is the current one.
        """
        with self._lock:
            document = self._read()
            if document["current"] == root:
                raise ValueError("the current root cannot be retired; make a new one first")
            roots = document["roots"]
            if isinstance(roots, dict) and root in roots:
                kept = {other: fields for other, fields in roots.items() if other != root}
                durable.write(self._path, [json.dumps({**document, "roots": kept}).encode()])
