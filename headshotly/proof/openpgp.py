"""The service's OpenPGP key: it signs security.txt and opens encrypted reports (RFC 9580, RFC 9116 section 2.3).

The only place that knows the library. The key is a file of its own, readable by its owner only, made on first use;
option ``disclosure.key_file`` names another file. The decision is in ``docs/adr/0090-openpgp-for-security-txt.md``.
"""

import subprocess
import sys
from pathlib import Path

from pysequoia import Cert, SignatureMode, Tsk, sign, verify

from headshotly.policy import configuration
from headshotly.proof.errors import KeyDamaged, NotOpened
from headshotly.vault import durable

_OPENING_SECONDS = 20


def _path() -> Path:
    here = configuration.current()
    return Path(here.options.get("disclosure.key_file") or here.data_folder / "security-txt-key.asc")


def _make(path: Path) -> None:
    """Write a new key; of two makers the first link wins. A crash before it leaves a scratch file nobody reads."""
    operator = configuration.current().operator
    made = Tsk.generate(user_id=f"{operator.name} Security <{operator.security_email}>")
    durable.write_new(path, [str(made).encode("ascii", errors="backslashreplace")])


def _key() -> Tsk:
    path = _path()
    if not path.exists():
        _make(path)
    try:
        return Tsk.from_bytes(path.read_bytes())
    except Exception as error:
        raise KeyDamaged(f"The OpenPGP key {path.name} cannot be read; restore it from its copy.") from error


def certificate() -> str:
    """Return the public key, armored.

    Raises:
        KeyDamaged: the key file cannot be read.
    """
    return str(_key().extract_certificate())


def fingerprint() -> str:
    """Return the fingerprint of the key, lower-case hex.

    Raises:
        KeyDamaged: the key file cannot be read.
    """
    return str(_key().extract_certificate().fingerprint)


def clear_sign(text: str) -> str:
    """Return a text with an OpenPGP cleartext signature around it.

    Raises:
        KeyDamaged: the key file cannot be read.
    """
    return sign(_key().signer(), text.encode(), mode=SignatureMode.CLEAR).decode()


def signed_text(signed: str, armored_certificate: str) -> str | None:
    """Return the text inside a cleartext signature that holds under a certificate, or None where it does not.

    Args:
        signed: the whole document.
        armored_certificate: the public key, armored.
    """
    try:
        known = Cert.from_bytes(armored_certificate.encode())
        inside = verify(signed.encode(), lambda _ids: [known]).bytes
    except Exception:  # noqa: BLE001 - the library raises its own base class for every failure; each means no
        return None
    return inside.decode("utf-8", "replace") if inside is not None else None


def open_message(message: bytes) -> bytes:
    """Return what an encrypted message holds. A program of its own opens it, bounded in time and memory.

    A message of a few bytes may unpack to gigabytes; that program dies of it, and this one does not.

    Args:
        message: armored or binary, as it came.

    Raises:
        KeyDamaged: the key file cannot be read.
        NotOpened: it is not for this key, is damaged, or unpacks to too much.
    """
    key = bytes(_key())
    try:
        done = subprocess.run(
            [sys.executable, "-m", "headshotly.proof.unwrapping"],
            input=len(key).to_bytes(4, "big") + key + message,
            capture_output=True,
            timeout=_OPENING_SECONDS,
            check=False,
            env={},
        )
    except subprocess.TimeoutExpired as error:
        raise NotOpened("The encrypted report took too long to open.") from error
    if done.returncode != 0:
        raise NotOpened("The encrypted report could not be opened with our key.")
    return done.stdout
