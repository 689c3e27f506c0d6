"""What people write into a case: short enough, long enough, and without addresses of people."""

import re

from headshotly.incidents.errors import Incomplete

LONGEST = 5000
SENTENCE_MIN = 20
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")


def checked(text: str, *, what: str, shortest: int = 1, longest: int = LONGEST, house: tuple[str, ...] = ()) -> str:
    """Return a text without white space around it.

    A case is read by many and kept for long, so people stand in it by their pseudonyms: an e-mail address is refused.

    Args:
        text: as typed.
        what: the name of the field, for the refusal.
        shortest: least characters.
        longest: most characters.
        house: addresses of our own that may stand there.

    Raises:
        Incomplete: it is too short or too long, or holds somebody's e-mail address.
    """
    words = text.strip()
    if len(words) < shortest:
        raise Incomplete(
            f"{what}: please write a sentence." if shortest >= SENTENCE_MIN else f"{what} must not be empty."
        )
    if len(words) > longest:
        raise Incomplete(f"{what}: at most {longest} characters.")
    if any(found not in house for found in _ADDRESS.findall(words)):
        raise Incomplete(f"{what}: no e-mail addresses here. Please name people by their pseudonyms.")
    return words


def sentence(text: str, *, what: str, house: tuple[str, ...] = ()) -> str:
    """Return a text of at least a sentence. Raises as ``checked``."""
    return checked(text, what=what, shortest=SENTENCE_MIN, house=house)
