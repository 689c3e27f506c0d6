"""The embedded key service: root keys in one file, the default for one machine."""

import binascii
import json
import os
import secrets
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vault import durable
from headshotly.vault.errors import KeyServiceUnavailable, StoreUnavailable
from headshotly.vault.keyservice import Context, canonical

FORMAT = "headshotly-root-keys-1"
_ROOT_ID = 8
_NONCE = 12
_KEY = 32
# RFC 9106, section 4, the second recommended choice: for machines with little memory to spare.
_PASSES, _LANES, _MEMORY_KIB = 3, 4, 64 * 1024


@dataclass(frozen=True, slots=True)
class _Roots:
    """The file's content.

    Attributes:
        current: id of the root that wraps.
        keys: id → hex of the key, sealed under the passphrase where there is one.
        made_at: id → when it was made, ISO 8601.
        salt: hex; empty where no passphrase protects the keys.
    """

    current: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    made_at: dict[str, str] = field(default_factory=dict)
    salt: str = ""


@enforces("3.2.b")
class EmbeddedKeyService:
    """Root keys in a file readable by its owner only, optionally sealed under a passphrase.

    The file is replaced atomically and durably, so that a crash leaves the old set of roots or the new one.
    """

    def __init__(self, path: Path, *, passphrase_file: Path | None = None) -> None:
        """Take the places of the files.

        Args:
            path: root key file, made on first use with mode 0600.
            passphrase_file: file whose first line is the passphrase, such as a systemd credential; None where the
                keys are not sealed.
        """
        self._path = path
        self._passphrase_file = passphrase_file
        self._derived: dict[str, bytes] = {}
        self._guard = threading.Lock()

    def _read(self) -> _Roots:
        try:
            if self._path.stat().st_mode & 0o077:
                raise KeyServiceUnavailable(
                    f"The root key file {self._path.name} can be read by others; its mode must be 0600."
                )
            document: dict[str, Any] = json.loads(self._path.read_text(encoding="ascii"))
            if document.pop("format") != FORMAT:
                raise KeyServiceUnavailable(f"The root key file {self._path.name} has another format.")
            roots = _Roots(**document)
        except FileNotFoundError:
            return self._first()
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise KeyServiceUnavailable("The root keys cannot be read, so nothing can be opened.") from error
        if bool(roots.salt) != (self._passphrase_file is not None):
            sealed = "sealed under a passphrase, and none is configured"
            bare = "not sealed under the configured passphrase; run “headshotly keys protect”"
            raise KeyServiceUnavailable(f"The root key file {self._path.name} is {sealed if roots.salt else bare}.")
        return roots

    def _document(self, roots: _Roots) -> bytes:
        return json.dumps({"format": FORMAT, **asdict(roots)}, indent=1).encode()

    def _first(self) -> _Roots:
        """Make the first root. Of two processes the first link wins and both read it."""
        salt = os.urandom(16).hex() if self._passphrase_file else ""
        durable.write_new(self._path, [self._document(self._with_new(_Roots(salt=salt)))])
        return self._read()

    def _write(self, roots: _Roots) -> None:
        try:
            durable.replace_erasing(self._path, self._document(roots))
        except StoreUnavailable as error:
            raise KeyServiceUnavailable("The root keys could not be saved; the old ones stand.") from error

    def _with_new(self, roots: _Roots) -> _Roots:
        root = secrets.token_hex(_ROOT_ID)
        return _Roots(
            current=root,
            keys={**roots.keys, root: self._sealed(root, os.urandom(_KEY), roots.salt).hex()},
            made_at={**roots.made_at, root: clock.now().isoformat(timespec="seconds")},
            salt=roots.salt,
        )

    def _passphrase_key(self, salt: str) -> AESGCM:
        if self._passphrase_file is None:
            raise KeyServiceUnavailable("The root keys are sealed under a passphrase, and none is configured.")
        with self._guard:
            if salt not in self._derived:
                self._derived[salt] = _derive(self._passphrase_file, salt)
            return AESGCM(self._derived[salt])

    def _sealed(self, root: str, key: bytes, salt: str) -> bytes:
        if not salt:
            return key
        nonce = os.urandom(_NONCE)
        return nonce + self._passphrase_key(salt).encrypt(nonce, key, root.encode())

    def _key(self, root: str) -> bytes:
        roots = self._read()
        if root not in roots.keys:
            raise KeyServiceUnavailable("The root key this was sealed under is retired.")
        kept = bytes.fromhex(roots.keys[root])
        if not roots.salt:
            return kept
        try:
            return self._passphrase_key(roots.salt).decrypt(kept[:_NONCE], kept[_NONCE:], root.encode())
        except (InvalidTag, ValueError) as error:
            raise KeyServiceUnavailable("The passphrase does not fit the root key file.") from error

    def wrap(self, key: bytes, context: Context) -> bytes:
        """Return ``key`` encrypted under the current root, bound to ``context``."""
        root = self.current_root()
        nonce = os.urandom(_NONCE)
        return bytes.fromhex(root) + nonce + AESGCM(self._key(root)).encrypt(nonce, key, canonical(context))

    def unwrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key in a blob; see ``KeyService``."""
        root = self.root_of(blob)
        nonce, sealed = blob[_ROOT_ID : _ROOT_ID + _NONCE], blob[_ROOT_ID + _NONCE :]
        try:
            return AESGCM(self._key(root)).decrypt(nonce, sealed, canonical(context))
        except InvalidTag as error:
            raise KeyServiceUnavailable("The key service refused to unwrap this key.") from error

    def rewrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key in a blob encrypted under the current root."""
        return self.wrap(self.unwrap(blob, context), context)

    def current_root(self) -> str:
        """Return the id of the root that ``wrap`` uses."""
        return self._read().current

    def root_of(self, blob: bytes) -> str:
        """Return the id of the root a blob was made with."""
        if len(blob) <= _ROOT_ID + _NONCE:
            raise KeyServiceUnavailable("The wrapped key is damaged.")
        return blob[:_ROOT_ID].hex()

    def roots(self) -> dict[str, str]:
        """Return every root that is not retired, with the time it was made."""
        return dict(self._read().made_at)

    def new_root(self) -> str:
        """Make a new root and use it from now on."""
        with durable.locked(self._lock_path):
            roots = self._with_new(self._read())
            self._write(roots)
        return roots.current

    def retire(self, root: str) -> None:
        """Destroy a root that is not the current one; the file that held it is overwritten."""
        with durable.locked(self._lock_path):
            roots = self._read()
            if roots.current == root:
                raise ValueError("the current root cannot be retired; make a new one first")
            if root in roots.keys:
                self._write(
                    _Roots(
                        current=roots.current,
                        keys={other: key for other, key in roots.keys.items() if other != root},
                        made_at={other: when for other, when in roots.made_at.items() if other != root},
                        salt=roots.salt,
                    )
                )

    @property
    def _lock_path(self) -> Path:
        return self._path.with_name(f".{self._path.name}.lock")

    def protect(self, passphrase_file: Path | None) -> None:
        """Seal the root keys under another passphrase, or under none. A crash leaves the old file or the new one.

        Args:
            passphrase_file: file whose first line is the new passphrase; None to keep the keys unsealed.
        """
        with durable.locked(self._lock_path):
            roots = self._read()
            plain = {root: self._key(root) for root in roots.keys}
            self._passphrase_file = passphrase_file
            salt = os.urandom(16).hex() if passphrase_file else ""
            keys = {root: self._sealed(root, key, salt).hex() for root, key in plain.items()}
            self._write(_Roots(current=roots.current, keys=keys, made_at=roots.made_at, salt=salt))


def _derive(passphrase_file: Path, salt: str) -> bytes:
    """Return the key (32 bytes) of a passphrase: Argon2id, RFC 9106."""
    try:
        passphrase = passphrase_file.read_bytes().split(b"\n", 1)[0].rstrip(b"\r")
        raw_salt = binascii.unhexlify(salt)
    except (OSError, binascii.Error) as error:
        raise KeyServiceUnavailable("The passphrase of the root keys cannot be read.") from error
    if not passphrase:
        raise KeyServiceUnavailable("The passphrase of the root keys is empty.")
    kdf = Argon2id(salt=raw_salt, length=_KEY, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return kdf.derive(passphrase)
