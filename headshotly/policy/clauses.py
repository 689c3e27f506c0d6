"""The clauses of the published policy: every sentence, found by its number (architecture.md, idea 3)."""

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_SENTENCE_END = re.compile(r"(?<=\.)\s+(?=[A-Z])")


class ClauseKind(StrEnum):
    """Who makes a clause true."""

    ENFORCED = "enforced"
    PROCESS = "process"
    INHERITED = "inherited"


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise.

    Attributes:
        id: stable id, such as ``3.2.a``.
        kind: who makes it true.
        owner: the role that answers for it.
        cadence_days: how old its evidence may be, in days.
        sentence: the promise, word for word as published.
    """

    id: str
    kind: ClauseKind
    owner: str
    cadence_days: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Section:
    """One numbered part of the text with its sentences, in reading order."""

    level: int
    heading: str
    sentences: tuple[str, ...]


class UnknownClause(LookupError):
    """No clause has this id."""


@cache
def _document() -> dict[str, object]:
    return tomllib.loads((_HERE / "clauses.toml").read_text(encoding="utf-8"))


@cache
def clauses() -> dict[str, Clause]:
    """Return every clause by id, in the order of the text."""
    table = _document()["clause"]
    if not isinstance(table, dict):
        raise TypeError("clauses.toml holds no table of clauses")
    return {
        clause_id: Clause(
            id=clause_id,
            kind=ClauseKind(fields["kind"]),
            owner=fields["owner"],
            cadence_days=fields["cadence_days"],
            sentence=fields["sentence"],
        )
        for clause_id, fields in table.items()
    }


def clause(clause_id: str) -> Clause:
    """Return one clause.

    Raises:
        UnknownClause: no clause has this id; the message names the nearest section.
    """
    try:
        return clauses()[clause_id]
    except KeyError:
        section = clause_id.partition(".")[0]
        near = [known for known in clauses() if known.partition(".")[0] == section]
        hint = f" Section {section} has {', '.join(near)}." if near else ""
        raise UnknownClause(f"There is no clause {clause_id}.{hint}") from None


def text_name() -> str:
    """Return the file name of the text in force, which begins with its effective date."""
    return str(_document()["text"])


@cache
def sections() -> tuple[Section, ...]:
    """Return the published text, section by section, in reading order."""
    lines = (_HERE / "texts" / text_name()).read_text(encoding="utf-8").splitlines()
    found: list[Section] = []
    for line in lines:
        if line.startswith("#"):
            marks, heading = line.split(" ", 1)
            found.append(Section(level=len(marks), heading=heading, sentences=()))
        elif line:
            last = found.pop()
            found.append(
                Section(
                    level=last.level,
                    heading=last.heading,
                    sentences=(*last.sentences, *_SENTENCE_END.split(line)),
                )
            )
    return tuple(found)


def clause_of_sentence(sentence: str) -> Clause:
    """Return the clause that claims a sentence of the text.

    Raises:
        UnknownClause: no clause claims it.
    """
    for candidate in clauses().values():
        if candidate.sentence == sentence:
            return candidate
    raise UnknownClause(f"No clause claims the sentence “{sentence}”.")
