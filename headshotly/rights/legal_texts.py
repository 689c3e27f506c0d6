"""Versioned legal documents: what each says now, what it said before, and what changed between two versions."""

import difflib
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from headshotly.policy import clauses, configuration
from headshotly.policy.wording import LANGUAGES
from headshotly.purposes import notices
from headshotly.purposes.texts import HEADSHOT_GENERATION, current_text
from headshotly.rights.models import Publication

POLICY, PRIVACY, CONSENT = "security-policy", "privacy-notice", "consent-headshots"
TITLES = {POLICY: "Security policy", PRIVACY: "Privacy notice", CONSENT: "Consent to measuring faces"}
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[A-ZĄĆĘŁŃÓŚŹŻ])")
_TEXTS = Path(clauses.__file__).resolve().parent / "texts"

type Change = Literal["same", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a document.

    Attributes:
        document: its short name.
        version: date of effect, ISO 8601.
        body: word for word.
        summary: what changed, in plain words.
        published: it was published to customers; the one in force at the first start was not.
    """

    document: str
    version: str
    body: str
    summary: str
    published: bool

    @property
    def sha256(self) -> str:
        """Return the hash of the words, in hex."""
        return hashlib.sha256(self.body.encode()).hexdigest()


def _policy() -> str:
    return (_TEXTS / clauses.text_name()).read_text(encoding="utf-8")


def _privacy() -> str:
    return notices.in_words(configuration.current().operator)


def _consent() -> str:
    spoken = [current_text(HEADSHOT_GENERATION, language) for language in LANGUAGES]
    return "\n".join("\n".join((text.title, text.statement, *text.points)) for text in spoken) + "\n"


_SOURCES: dict[str, Callable[[], str]] = {POLICY: _policy, PRIVACY: _privacy, CONSENT: _consent}


def working_text(document: str) -> str:
    """Return what a document says in the software as it runs; publishing makes a version of it.

    Raises:
        KeyError: there is no such document.
    """
    return _SOURCES[document]()


def versions(document: str) -> list[Version]:
    """Return every version of a document, newest first.

    Before anything was published there is one: what the service started with.
    """
    rows = Publication.objects.filter(document=document).order_by("-version")
    found = [Version(document, row.version, row.body, row.summary, published=True) for row in rows]
    return found or [Version(document, clauses.text_name()[:10], working_text(document), "", published=False)]


def differs(document: str) -> bool:
    """Say whether the software says something else than the newest version."""
    return versions(document)[0].body != working_text(document)


def _sentences(body: str) -> list[str]:
    return [sentence for line in body.splitlines() if line for sentence in _SENTENCE_END.split(line.lstrip("# "))]


def difference(old: str, new: str) -> list[tuple[Change, str]]:
    """Return two texts' sentences in reading order, each the same, added or removed."""
    before, after = _sentences(old), _sentences(new)
    found: list[tuple[Change, str]] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            found += [("same", sentence) for sentence in before[old_from:old_to]]
            continue
        found += [("removed", sentence) for sentence in before[old_from:old_to]]
        found += [("added", sentence) for sentence in after[new_from:new_to]]
    return found
