"""The reviewed mapping of every sentence to controls (clauses 1.3.a, 11). Changing a sentence undoes its review."""

import datetime as dt
import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from headshotly.policy.clauses import Clause, clauses
from headshotly.policy.enforcement import enforces

_FILE = Path(__file__).resolve().parent / "mapping.toml"


@dataclass(frozen=True, slots=True)
class Mapping:
    """What one sentence was mapped to, and when somebody last looked.

    Attributes:
        sentence_sha256: hash of the words that were judged, in hex.
        iso: controls of ISO/IEC 27001:2022, Annex A.
        asvs: requirements of OWASP ASVS 5.0.0.
        reviewed_on: day of the review.
        reviewed_by: role of the reviewer.
    """

    sentence_sha256: str
    iso: tuple[str, ...]
    asvs: tuple[str, ...]
    reviewed_on: dt.date
    reviewed_by: str


@cache
def mappings() -> dict[str, Mapping]:
    """Return the mapping of every clause that has one."""
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))["clause"]
    return {
        clause_id: Mapping(
            sentence_sha256=fields["sentence_sha256"],
            iso=tuple(fields["iso"]),
            asvs=tuple(fields["asvs"]),
            reviewed_on=fields["reviewed_on"],
            reviewed_by=fields["reviewed_by"],
        )
        for clause_id, fields in table.items()
    }


def sentence_hash(clause: Clause) -> str:
    """Return the hash of a clause's words, in hex."""
    return hashlib.sha256(clause.sentence.encode()).hexdigest()


@enforces("1.3.a", "11.a-c")
def unreviewed() -> list[str]:
    """Return the ids of the clauses whose words changed since their review, or that map to no control."""
    known = mappings()
    return [
        clause.id
        for clause in clauses().values()
        if clause.id not in known
        or known[clause.id].sentence_sha256 != sentence_hash(clause)
        or not (known[clause.id].iso or known[clause.id].asvs)
    ]
