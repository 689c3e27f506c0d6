"""What one run of a tool says: the form every document is brought into; pure."""

import datetime as dt
import hashlib
from dataclasses import dataclass

from headshotly.lifecycle.severity import Grade
from headshotly.lifecycle.states import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One thing seen by one run.

    Attributes:
        fingerprint: SHA-256 in hex; the same for the same thing in the next run.
        rule: of the tool, or id of the advisory.
        title: in a line.
        words: what the tool says about it.
        place: file and line, address without its query, or component.
        grade: how bad.
        weaknesses: numbers of CWE.
        accepted_until: last day until which the document says it is accepted elsewhere, with ``note`` as the reason;
            None where it does not. Here that is a proposal, which somebody has to agree to.
        note: what the document says about it beyond that, such as a VEX analysis; it closes nothing.
    """

    fingerprint: str
    rule: str
    title: str
    words: str
    place: str
    grade: Grade
    weaknesses: tuple[int, ...] = ()
    note: str = ""
    accepted_until: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one tool.

    Attributes:
        tool: its name.
        version: of the tool.
        scope: what was looked at, where one tool looks at several things.
        method: how it looks.
        commit: full hash of what was looked at; empty where the document does not say.
        ran_at: when it ended; None where the document does not say.
        succeeded: it came to its end; what a failed run did not see says nothing.
        suppressed: how many results the code itself waves through, each with a comment beside it.
        sightings: what it saw, each fingerprint once.
    """

    tool: str
    version: str
    scope: str
    method: Method
    commit: str
    ran_at: dt.datetime | None
    succeeded: bool
    suppressed: int
    sightings: tuple[Sighting, ...]


def fingerprint(*parts: str) -> str:
    """Return the hash of parts, each kept apart from the next by its length."""
    joined = b"".join(len(encoded := part.encode()).to_bytes(4, "big") + encoded for part in parts)
    return hashlib.sha256(joined).hexdigest()
