"""What a request carries, looked at for attacks before any view sees it: pure, and linear in time whatever comes.

The classes and their scoring follow the OWASP Core Rule Set: each finding has points, and a request with
``BLOCK_FROM`` or more is refused. The expressions are our own and few; why stands in ``docs/adr/0060``. Text is looked
at as it came and once more undone of the disguises attackers use: percent, HTML and Unicode escapes, SQL comments,
full-width letters, odd white space.
"""

import html
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import re2

from headshotly.policy.enforcement import enforces

BLOCK_FROM = 5
_FORGERY = "Server-side request forgery"
QUOTES = "headshotly_quotes_attacks"
VALUE_MAX = 20_000  # characters looked at of one value
VALUES_MAX = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found.

    Attributes:
        kind: plain name of the attack.
        points: as of the Core Rule Set: 5 critical, 4 error, 3 warning, 2 notice.
        place: ``path``, ``query``, ``form``, ``body`` or ``header``.
    """

    kind: str
    points: int
    place: str


_FILE = tomllib.loads(Path(__file__).with_name("inspection.toml").read_text(encoding="utf-8"))
_RULES = tuple((one["kind"], one["points"], one["expression"]) for one in _FILE["rule"])


def _compiled(expression: str) -> Any:
    return re2.compile(f"(?is){expression}")


_COMPILED = tuple((kind, points, _compiled(expression).search) for kind, points, expression in _RULES)
_SCANNER = _compiled(_FILE["agents"]["expression"]).search
# One pass over nearly every text finds nothing and is all there is to do.
_ANY = _compiled("|".join(f"(?:{expression})" for _, _, expression in _RULES)).search
_COMMENT = re.compile(r"/\*.{0,200}?\*/", re.DOTALL)
_SPACE = re.compile(r"\s+")
_ESCAPED = re.compile(r"\\u00([0-9a-fA-F]{2})|\\x([0-9a-fA-F]{2})|%u00([0-9a-fA-F]{2})")
_PLAIN = re.compile(r"(?!.*__)[\w.@+\-]*")


def quotes_attacks[View: Callable[..., Any]](view: View) -> View:
    """Mark a view whose form people write about attacks in; what is found there is noted and blocks nobody."""
    setattr(view, QUOTES, True)
    return view


def undisguised(text: str) -> str:
    """Return a text without the escapes and fillers that hide what it says."""
    for _ in range(2):
        text = unquote_plus(text, errors="replace")
    text = html.unescape(text)
    text = _ESCAPED.sub(lambda found: chr(int(found[1] or found[2] or found[3], 16)), text)
    text = unicodedata.normalize("NFKC", text).replace("\x00", "")
    return _SPACE.sub(" ", _COMMENT.sub(" ", text))


def look_at(place: str, text: str) -> list[Finding]:
    """Return what one value holds, each kind once."""
    text = text[:VALUE_MAX]
    if _PLAIN.fullmatch(text):
        return []
    found: dict[str, Finding] = {}
    bare = undisguised(text)
    for spelled in (text, bare) if bare != text else (text,):
        if _ANY(spelled) is None:
            continue
        for kind, points, search in _COMPILED:
            if (place, kind) == ("header", _FORGERY):
                continue  # a browser says which page of which host it came from
            if kind not in found and search(spelled) is not None:
                found[kind] = Finding(kind, points, place)
    return list(found.values())


@enforces("2.3.b")
def inspect(parts: Iterable[tuple[str, str]]) -> list[Finding]:
    """Return everything found in the parts of a request.

    Args:
        parts: pairs of place (``path``, ``query``, ``form``, ``body``, ``header``, ``agent``) and text.
    """
    found = []
    for number, (place, text) in enumerate(parts):
        if number >= VALUES_MAX:
            found.append(Finding("Too many values", BLOCK_FROM, place))
            break
        if place == "agent" and _SCANNER(text) is not None:
            found.append(Finding("Attack tool", BLOCK_FROM, "header"))
        found.extend(look_at("header" if place == "agent" else place, text))
    return found


def blocks(findings: Iterable[Finding]) -> bool:
    """Say whether findings together are enough to refuse a request."""
    return sum(one.points for one in findings) >= BLOCK_FROM


def shown(findings: Iterable[Finding]) -> str:
    """Return what was found as a few words, without anything of the request itself."""
    return ", ".join(sorted({f"{one.kind} ({one.place})" for one in findings}))
