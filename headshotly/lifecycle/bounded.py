"""Reading what tools wrote as if an attacker had: bounded in bytes, depth and number; pure."""

import datetime as dt
import json
import re
import unicodedata
from typing import Any

from headshotly.lifecycle.errors import DocumentRefused

LARGEST_DOCUMENT = 16 << 20  # bytes
DEEPEST = 64
MOST_RESULTS = 5000
MOST_RUNS = 20
LONGEST_TEXT = 2000
LONGEST_LINE = 300
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def _refuse_constant(word: str) -> Any:
    raise DocumentRefused(f"The document holds {word}, which is no JSON.")


def _pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(found)
    if len(made) != len(found):
        raise DocumentRefused("The document names the same thing twice in one object.")
    return made


def read_object(raw: bytes) -> dict[str, Any]:
    """Return a document's outermost object.

    Args:
        raw: the file as it is; UTF-8, with or without a mark in front.

    Raises:
        DocumentRefused: it is too large, too deep, no JSON, ambiguous, or no object.
    """
    if len(raw) > LARGEST_DOCUMENT:
        raise DocumentRefused(f"The document is larger than {LARGEST_DOCUMENT >> 20} MiB.")
    try:
        found = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_pairs, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise DocumentRefused(f"The document is nested deeper than {DEEPEST} levels.") from error
    except ValueError as error:
        raise DocumentRefused("The document is no JSON in UTF-8.") from error
    if not isinstance(found, dict):
        raise DocumentRefused("The document is no JSON object.")
    _require_shallow(found)
    return found


def _require_shallow(found: Any) -> None:
    level = [found]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise DocumentRefused(f"The document is nested deeper than {DEEPEST} levels.")


def table(found: Any, key: str) -> dict[str, Any]:
    """Return an object's member that is an object; empty where it is left out.

    Raises:
        DocumentRefused: it is something else.
    """
    return _member(found, key, dict) or {}


def rows(found: Any, key: str, *, most: int = MOST_RESULTS) -> list[dict[str, Any]]:
    """Return an object's member that is a list of objects; empty where it is left out.

    Args:
        found: an object.
        key: of the member.
        most: how many it may hold.

    Raises:
        DocumentRefused: it is something else, or holds more.
    """
    listed = _member(found, key, list) or []
    if len(listed) > most:
        raise DocumentRefused(f"“{key}” lists {len(listed)} things; we read at most {most}.")
    if not all(isinstance(one, dict) for one in listed):
        raise DocumentRefused(f"“{key}” should be a list of objects.")
    return listed


def text(found: Any, key: str, *, longest: int = LONGEST_TEXT) -> str:
    """Return an object's member that is text, without control characters, cut to a length; empty where left out.

    Raises:
        DocumentRefused: it is something else.
    """
    said = _member(found, key, str)
    return "" if said is None else clean(said, longest=longest)


def number(found: Any, key: str) -> float | None:
    """Return an object's member that is a number, or text that is one; None where it is left out or no number."""
    said = found.get(key) if isinstance(found, dict) else None
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return None
    try:
        return float(said)
    except (ValueError, OverflowError):
        return None


def _member[Kind](found: Any, key: str, kind: type[Kind]) -> Kind | None:
    if not isinstance(found, dict):
        raise DocumentRefused("The document does not have the shape its format names.")
    said = found.get(key)
    if said is None:
        return None
    if not isinstance(said, kind):
        raise DocumentRefused(f"“{key}” is not what its format says it is.")
    return said


def clean(said: str, *, longest: int = LONGEST_TEXT) -> str:
    """Return text that neither a terminal nor a page can be steered by: no control or direction characters."""
    kept = "".join(
        one if unicodedata.category(one) not in {"Cc", "Cf", "Cs", "Co", "Cn"} else " " for one in said[: 4 * longest]
    )
    words = " ".join(kept.split())
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def moment(said: str) -> dt.datetime | None:
    """Return a time of RFC 3339 in UTC, one without a zone taken as UTC; None where nothing is said.

    Raises:
        DocumentRefused: it is no time.
    """
    if not said:
        return None
    try:
        found = dt.datetime.fromisoformat(said)
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise DocumentRefused("The document holds a time that is none.") from error


def commit(said: str) -> str:
    """Return a commit's full hash in lower case; empty where nothing is said.

    Raises:
        DocumentRefused: it is no full hash.
    """
    words = said.strip().lower()
    if words and not _COMMIT.fullmatch(words):
        raise DocumentRefused("A commit is named by its full hash: 40 or 64 hex digits.")
    return words
