"""Which passwords are accepted (clause 10.1): hard to guess, in no breach, not the person's own details."""

import hashlib
import mmap
from pathlib import Path

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn

from headshotly.accounts.errors import InputRefused
from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces

SHORTEST = 12
LONGEST = 256  # keeps Argon2id's input bounded
DISTINCT = 5
OWN_PART_MIN = 4
JUDGED = 72  # zxcvbn's work grows with the square of its input
SCORE_MIN = 3  # of 4: more than 10^8 guesses
BREACHED_FILE = "passwords.breached"
_LINE_LONGEST = 64


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
    own = [part for part in _parts(about) if len(part) >= OWN_PART_MIN]
    if any(part in password.lower() for part in own):
        raise InputRefused("Please leave your name and address out of the password.", field="password")
    if is_breached(password):
        raise InputRefused(
            "This password is known from a breach or used by many. Please choose another.", field="password"
        )
    if zxcvbn(password[:JUDGED], user_inputs=["headshotly", "headshot", *own])["score"] < SCORE_MIN:
        raise InputRefused(
            "This password is too easy to guess. Three or four unrelated words do well.", field="password"
        )


def _parts(about: tuple[str, ...]) -> list[str]:
    return [part for text in about for part in text.lower().replace("@", " ").replace(".", " ").split()]


def is_breached(password: str) -> bool:
    """Say whether a password is among Django's 20,000 most common or in the operator's file of breached ones.

    The file is named by the option ``passwords.breached``: lines ``SHA1:COUNT`` in ascending order, as *Have I Been
    Pwned* publishes them. It is searched in place; the password never leaves the process.
    """
    try:
        CommonPasswordValidator().validate(password)
    except ValidationError:
        return True
    path = configuration.current().options.get(BREACHED_FILE)
    return bool(path) and in_sorted_hashes(Path(str(path)), password)


def in_sorted_hashes(path: Path, password: str) -> bool:
    """Find a password's SHA-1 in a sorted file of hashes by bisection, in about 40 reads for a billion lines.

    Raises:
        OSError: the file cannot be read; a list the operator asked for must not be silently ignored.
    """
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        low, high = 0, len(text)
        while low < high:
            middle = (low + high) // 2
            start = text.rfind(b"\n", low, middle) + 1 or low
            end = text.find(b"\n", start, start + _LINE_LONGEST)
            end = len(text) if end < 0 else end
            found = text[start:end].partition(b":")[0].strip().upper()
            if found == wanted:
                return True
            if found < wanted:
                low = end + 1
            else:
                high = start
    return False
