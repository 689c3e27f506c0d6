"""Recovery codes: ten one-time keys on paper, for the day the phone is gone."""

import secrets

from headshotly.vault import services as vault

HOW_MANY = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are mistaken for another
_GROUP = 4
_LENGTH = 24  # 118 bits, so that a hash without stretching is enough (ASVS 6.5.2 asks for 112)


def new_codes() -> list[str]:
    """Return fresh codes in groups of four letters."""
    return ["-".join(_group() for _ in range(_LENGTH // _GROUP)) for _ in range(HOW_MANY)]


def _group() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_GROUP))


def index(code: str) -> bytes:
    """Return what is kept of a code (32 bytes); spelling and spacing do not count."""
    letters = "".join(letter for letter in code.lower() if letter.isalnum())
    return vault.blind_index(field="accounts.recovery", value=letters)
