"""Which passwords are accepted (clause 10.1): hard to guess, in no breach, not the person's own details."""

import hashlib
import mmap
from functools import cache
from pathlib import Path

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn

from headshotly.accounts.errors import BreachListUnreadable, InputRefused
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
_RANGE = 5  # digits of the hash that name a range


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


@cache
def _common() -> CommonPasswordValidator:
    """Return Django's check, its list read once: unpacking it takes longer than most pages."""
    return CommonPasswordValidator()


def is_breached(password: str) -> bool:
    """Say whether a password is among Django's 20,000 most common or in the operator's file of breached ones.

    The option ``passwords.breached`` names what *Have I Been Pwned* publishes: one file of lines ``SHA1:COUNT`` in
    ascending order, or a folder of ranges, one file for the first five digits of the hash with lines ``REST:COUNT``.
    It is searched in place; the password never leaves the process.

    Raises:
        BreachListUnreadable: the option names something that cannot be read.
    """
    try:
        _common().validate(password)
    except ValidationError:
        return True
    path = configuration.current().options.get(BREACHED_FILE)
    if not path:
        return False
    place = Path(str(path))
    try:
        return in_ranges(place, password) if place.is_dir() else in_sorted_hashes(place, password)
    except (OSError, ValueError) as error:
        raise BreachListUnreadable("Passwords cannot be checked at the moment. Please try again later.") from error


def _sha1(password: str) -> bytes:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()


def in_ranges(folder: Path, password: str) -> bool:
    """Find a password's SHA-1 in a folder of ranges, each a few hundred lines.

    Raises:
        OSError: the range is not there: every one has a file, so the folder is incomplete.
    """
    wanted = _sha1(password)
    lines = (folder / f"{wanted[:_RANGE].decode()}.txt").read_bytes().splitlines()
    return any(line.partition(b":")[0].strip().upper() == wanted[_RANGE:] for line in lines)


def in_sorted_hashes(path: Path, password: str) -> bool:
    """Find a password's SHA-1 in a sorted file of hashes by bisection, in about 40 reads for a billion lines.

    Raises:
        OSError: the file cannot be read; a list the operator asked for must not be silently ignored.
        ValueError: it is empty.
    """
    wanted = _sha1(password)
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
