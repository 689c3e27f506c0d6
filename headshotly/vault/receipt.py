"""Deletion receipts: signed, complete, and checkable by anybody without us. See ``docs/formats/receipt.md``."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from headshotly.policy.enforcement import enforces
from headshotly.vault.errors import ReceiptForged

FORMAT = "headshotly-deletion-receipt-1"
type Receipt = dict[str, Any]


def _signed(statement: Mapping[str, Any]) -> bytes:
    canonical = json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    # The format's name first, so that no signature made for something else passes for a receipt's.
    return f"{FORMAT}\n{canonical}".encode()


def public_key(key: Ed25519PrivateKey) -> str:
    """Return the key that checks receipts, base64."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def fingerprint(public: str) -> str:
    """Return a public key's fingerprint for people: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public.strip().encode()).hexdigest()[:16]


@enforces("1.2.c")
def sign(statement: Mapping[str, Any], key: Ed25519PrivateKey) -> Receipt:
    """Return a receipt: the statement, the public key and the signature over the statement."""
    return {
        "format": FORMAT,
        "statement": dict(statement),
        "public_key": public_key(key),
        "signature": base64.b64encode(key.sign(_signed(statement))).decode(),
    }


def verify(receipt: Any, *, expected_key: str | None = None) -> Mapping[str, Any]:
    """Return the statement of a receipt whose signature holds.

    Args:
        receipt: the parsed JSON document.
        expected_key: base64 public key from elsewhere; without it, only that nothing was changed is shown.

    Raises:
        ReceiptForged: the document is no receipt, was changed, or is signed by another key.
    """
    if not isinstance(receipt, dict) or receipt.get("format") != FORMAT:
        raise ReceiptForged("This is not a deletion receipt.")
    if set(receipt) != {"format", "statement", "public_key", "signature"}:
        raise ReceiptForged("The receipt has parts that a receipt does not have.")
    if expected_key is not None and receipt["public_key"] != expected_key.strip():
        raise ReceiptForged("This receipt is signed by another key than the one you gave.")
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(receipt["public_key"], validate=True))
        key.verify(base64.b64decode(receipt["signature"], validate=True), _signed(receipt["statement"]))
    except (TypeError, ValueError, binascii.Error, InvalidSignature) as error:
        raise ReceiptForged("The receipt was changed after it was signed, or was never signed.") from error
    if not isinstance(receipt["statement"], dict):
        raise ReceiptForged("This is not a deletion receipt.")
    statement: Mapping[str, Any] = receipt["statement"]
    return statement
