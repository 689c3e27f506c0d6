"""Which passwords are accepted (clause 10.1): long enough, not common, not the person's own details."""

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from headshotly.accounts.errors import InputRefused
from headshotly.policy.enforcement import enforces

SHORTEST = 12
LONGEST = 256  # keeps Argon2id's input bounded
DISTINCT = 5
OWN_PART_MIN = 4


@enforces("10.1")
def require_strong(password: str, *, about: tuple[str, ...] = ()) -> None:
    """Pass only for a password worth having.

    Args:
        password: as typed.
        about: the person's address and name, which must not be in it.

    Raises:
        InputRefused: says in plain words what to do better.
    """
    if len(password) < SHORTEST:
        raise InputRefused(
            f"Please use at least {SHORTEST} characters. Three or four unrelated words do well.",
            field="password",
        )
    if len(password) > LONGEST:
        raise InputRefused(f"Please use at most {LONGEST} characters.", field="password")
    if len(set(password)) < DISTINCT:
        raise InputRefused("Please use more than a few different characters.", field="password")
    lowered = password.lower()
    for part in (piece for text in about for piece in text.lower().replace("@", " ").replace(".", " ").split()):
        if len(part) >= OWN_PART_MIN and part in lowered:
            raise InputRefused("Please leave your name and address out of the password.", field="password")
    try:
        CommonPasswordValidator().validate(password)
    except ValidationError:
        raise InputRefused("Too many people use this password. Please choose another.", field="password") from None
