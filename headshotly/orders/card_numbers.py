"""Finds payment card numbers in text, however they are written, so that none is ever kept (clause 7.1.b).

A card number is 12 to 19 digits that begin as a brand's do, have a length that brand uses, and pass the Luhn check
(ISO/IEC 7812-1). Digits of every script count, and so do what people put between them. What cannot be one is left
alone: identifiers in hexadecimal, UUIDs, bank accounts (IBAN), digits in the middle of a longer number.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from headshotly.policy.enforcement import enforces

MASK = "[card number removed]"
_SHORTEST, _LONGEST = 12, 19
_GAP_MAX = 3  # separators between two digits of one number
# First digits → lengths (Wikipedia, “Payment card number”, and the schemes' own pages).
_BRANDS: tuple[tuple[int, int, frozenset[int]], ...] = tuple(
    (first, last, frozenset(lengths))
    for first, last, lengths in (
        (4, 4, (13, 16, 19)),  # Visa
        (51, 55, (16,)), (2221, 2720, (16,)),  # Mastercard
        (34, 34, (15,)), (37, 37, (15,)),  # American Express
        (6011, 6011, (16, 17, 18, 19)), (644, 649, (16, 17, 18, 19)), (65, 65, (16, 17, 18, 19)),  # Discover, RuPay
        (300, 305, (14, 16, 17, 18, 19)), (3095, 3095, (14, 16)), (36, 36, (14, 16)), (38, 39, (14, 16)),  # Diners Club
        (3528, 3589, (16, 17, 18, 19)),  # JCB
        (62, 62, (16, 17, 18, 19)), (81, 82, (16,)),  # UnionPay, RuPay
        (2200, 2204, (16, 17, 18, 19)),  # Mir
        (5018, 5018, range(12, 20)), (5020, 5020, range(12, 20)), (5038, 5038, range(12, 20)),  # Maestro
        (5893, 5893, range(12, 20)), (6304, 6304, range(12, 20)), (6759, 6759, range(12, 20)),
        (6761, 6763, range(12, 20)),
        (9792, 9792, (16,)), (508, 508, (16,)), (60, 60, (16,)),  # Troy, RuPay
    )
)  # fmt: skip
# What writes one number in groups, and what also parts different things and so needs a card's own grouping.
_WEAK = frozenset(".,/:;|+*=&~'\"\\")
_LAYOUTS = frozenset({(4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (4, 4, 4, 1), (6, 13), (8, 8)})
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+(?:-[0-9a-fA-F]+)*")
_IBAN = re.compile(r"(?<![A-Z0-9])[A-Z]{2}[0-9]{2}(?:[ ]?[A-Z0-9]){11,30}(?![A-Z0-9])")


@dataclass(frozen=True, slots=True)
class _Group:
    """Digits that stand together.

    Attributes:
        digits: as ASCII.
        start: of the first one.
        end: after the last one.
    """

    digits: str
    start: int
    end: int


def _value(letter: str) -> int | None:
    """Return the digit a character stands for in any script or shape, or None."""
    if letter.isascii():
        return ord(letter) - 48 if "0" <= letter <= "9" else None
    return unicodedata.digit(letter, None)


def _separates(letter: str) -> bool:
    return (
        letter in "-_" or letter in _WEAK or unicodedata.category(letter) in {"Zs", "Pd", "Cf", "Mn", "Cc", "Po", "Sm"}
    )


def _chains(text: str) -> Iterator[list[_Group]]:
    """Yield groups of digits with nothing but separators between them."""
    chain: list[_Group] = []
    digits, start, gap = "", 0, 0
    for place, letter in enumerate(text):
        value = _value(letter)
        if value is not None:
            digits, start = (digits + str(value), start) if digits else (str(value), place)
            gap = 0
            continue
        if digits:
            chain.append(_Group(digits, start, place))
            digits = ""
        gap += 1
        if gap > _GAP_MAX or not _separates(letter):
            if chain:
                yield chain
            chain = []
    if digits:
        chain.append(_Group(digits, start, len(text)))
    if chain:
        yield chain


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the digits of a two-digit product are added
    return total % 10 == 0


def is_card_number(digits: str) -> bool:
    """Say whether digits, and nothing else, are a card number."""
    if not _SHORTEST <= len(digits) <= _LONGEST or len(set(digits)) == 1:
        return False
    branded = any(
        first <= int(digits[: len(str(first))]) <= last and len(digits) in lengths for first, last, lengths in _BRANDS
    )
    return branded and _luhn(digits)


def _windows(text: str, chain: list[_Group]) -> Iterator[tuple[int, int]]:
    """Yield where a card number begins and ends in a chain; it begins and ends with a group."""
    gaps = [text[left.end : right.start] for left, right in pairwise(chain)]
    first = 0
    while first < len(chain):
        found = 0
        digits = ""
        for last in range(first, len(chain)):
            digits += chain[last].digits
            if len(digits) > _LONGEST:
                break
            if is_card_number(digits) and _written_as_one(chain, gaps, first, last):
                found = last + 1
        if found:
            yield chain[first].start, chain[found - 1].end
        first = found or first + 1


def _written_as_one(chain: list[_Group], gaps: list[str], first: int, last: int) -> bool:
    """Say whether groups are one number and not several: commas and the like also part the numbers of a list."""
    between = gaps[first:last]
    if not any(letter in _WEAK or letter in "\r\n\t" for gap in between for letter in gap):
        return True
    sizes = tuple(len(group.digits) for group in chain[first : last + 1])
    around = (gaps[first - 1] if first else None, gaps[last] if last < len(gaps) else None)
    alike = len({gap.strip() for gap in between}) == 1 and between[0] not in around
    return alike and (sizes in _LAYOUTS or set(sizes) == {1})


def _identifiers(text: str) -> list[tuple[int, int]]:
    """Return where hexadecimal identifiers and bank accounts stand, which are no card numbers."""
    found = []
    for match in _HEXADECIMAL.finditer(text):
        plain = match[0].replace("-", "")
        if len(plain) >= 32 and not plain.isdecimal():  # noqa: PLR2004 - a UUID and every longer hash
            found.append(match.span())
    for match in _IBAN.finditer(text):
        plain = match[0].replace(" ", "")
        as_number = "".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])
        if int(as_number) % 97 == 1:  # ISO 13616
            found.append(match.span())
    return found


@enforces("7.1.b")
def find(text: str) -> list[tuple[int, int]]:
    """Return where card numbers begin and end in a text.

    Args:
        text: anything.
    """
    if sum(map(str.isdigit, text)) < _SHORTEST:
        return []
    candidates = [span for chain in _chains(text) for span in _windows(text, chain)]
    if not candidates:
        return []
    known = _identifiers(text)
    return [
        (start, end) for start, end in candidates if not any(left <= start and end <= right for left, right in known)
    ]


def holds_one(text: str) -> bool:
    """Say whether a text holds a card number."""
    return bool(find(text))


@enforces("7.1.b")
def mask(text: str) -> str:
    """Return a text without its card numbers."""
    for start, end in reversed(find(text)):
        text = text[:start] + MASK + text[end:]
    return text
