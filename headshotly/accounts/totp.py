"""Time-based one-time codes (RFC 6238): which step a code belongs to, and the address a QR code carries."""

import base64
import secrets

import pyotp

from headshotly.policy import clock

PERIOD = 30  # seconds
CODE_LENGTH = 6


def derive_secret(seed: bytes) -> str:
    """Return a secret (base32, 160 bits, RFC 4226 section 4) from at least 20 unguessable bytes."""
    return base64.b32encode(seed[:20]).decode()


def matching_step(secret: str, code: str) -> int | None:
    """Return the time step a code belongs to: the present one or a neighbour (RFC 6238, section 5.2).

    Args:
        secret: base32.
        code: as typed; spaces do not count.

    Returns:
        The step, or None where the code is wrong. The caller refuses a step that was used before.
    """
    typed = "".join(code.split())
    if len(typed) != CODE_LENGTH or not typed.isascii():
        return None
    present = int(clock.now().timestamp()) // PERIOD
    totp = pyotp.TOTP(secret)
    for step in (present, present - 1, present + 1):
        if secrets.compare_digest(totp.at(step * PERIOD).encode(), typed.encode()):
            return step
    return None


def provisioning_uri(secret: str, *, name: str, issuer: str) -> str:
    """Return the ``otpauth`` address an authenticator app reads; ``name`` must not be personal."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)
