"""References that people read to each other: short, and in letters that nobody mistakes."""

import secrets

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none misread on the telephone  # pragma: allowlist secret
_LENGTH = 8


def new_reference(kind: str) -> str:
    """Return a reference that nobody can guess, such as ``R-7K2M9QXA``.

    Args:
        kind: the letter in front, which says what it is of.
    """
    return f"{kind}-" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
