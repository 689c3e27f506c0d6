"""Deletion receipts: signed, complete, and checkable by anybody without us."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from headshotly.policy.enforcement import enforces
from headshotly.vault.errors import ReceiptForged
from headshotly.vault.service_secrets import secret

FORMAT = "headshotly-deletion-receipt-1"
type Receipt = dict[str, Any]


def _canonical(statement: Mapping[str, Any]) -> bytes:
    return json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(secret("receipts"))


def public_key() -> str:
    """Return the key that checks receipts, base64."""
    return base64.b64encode(_key().public_key().public_bytes_raw()).decode()


@enforces("1.2.c")
def sign(statement: Mapping[str, Any]) -> Receipt:
    """Return a receipt: the statement, the public key and the signature over the statement."""
    signature = _key().sign(_canonical(statement))
    return {
        "format": FORMAT,
        "statement": dict(statement),
        "public_key": public_key(),
        "signature": base64.b64encode(signature).decode(),
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
    if expected_key is not None and receipt.get("public_key") != expected_key.strip():
        raise ReceiptForged("This receipt is signed by another key than the one you gave.")
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(receipt["public_key"], validate=True))
        key.verify(base64.b64decode(receipt["signature"], validate=True), _canonical(receipt["statement"]))
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error, InvalidSignature) as error:
        raise ReceiptForged("The receipt was changed after it was signed, or was never signed.") from error
    statement: Mapping[str, Any] = receipt["statement"]
    return statement
