"""How a message to an endpoint is signed: Standard Webhooks, symmetric (https://www.standardwebhooks.com). Pure.

``webhook-signature`` holds ``v1,`` and the base64 HMAC-SHA256 of ``id.timestamp.body`` under the secret's bytes.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

PREFIX = "whsec_"
_BYTES = 32
TOLERANCE_SECONDS = 300


def new_secret() -> str:
    """Return a new secret: ``whsec_`` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)


def sign(*, secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of one message.

    Args:
        secret: from ``new_secret``.
        message_id: the same whenever the message is sent again.
        timestamp: Unix seconds of this sending.
        body: as it is sent.

    Raises:
        ValueError: the secret is none, or the id holds a full stop.
    """
    if "." in message_id:
        raise ValueError("a message's id holds no full stop; it ends the id")
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def headers(*, secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers a message carries."""
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret=secret, message_id=message_id, timestamp=timestamp, body=body),
    }


def verify(*, secret: str, carried: Mapping[str, str], body: bytes, now: int) -> bool:
    """Say whether a message is genuine and fresh, as whoever receives it should.

    Args:
        secret: known to both sides.
        carried: the request's headers, with names in lower case.
        body: the bytes that came.
        now: Unix seconds.
    """
    message_id, at = carried.get("webhook-id", ""), carried.get("webhook-timestamp", "")
    if not (at.isascii() and at.isdecimal()) or abs(now - int(at)) > TOLERANCE_SECONDS or "." in message_id:
        return False
    try:
        expected = sign(secret=secret, message_id=message_id, timestamp=int(at), body=body)
    except (ValueError, binascii.Error):
        return False
    given = carried.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in given)
