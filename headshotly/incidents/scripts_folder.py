"""The scripts of exercises: files beside this module, read whole and checked."""

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from headshotly.incidents.errors import NotFound
from headshotly.incidents.phases import Phase, Severity

_FOLDER = Path(__file__).resolve().parent / "scripts"


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a script.

    Attributes:
        after: minutes from the beginning.
        phase: which phase it practises.
        tells: what is read to the table.
        asks: what the table must answer.
        good: what a good answer holds; shown after the answer.
    """

    after: int
    phase: Phase
    tells: str
    asks: str
    good: str


@dataclass(frozen=True, slots=True)
class Script:
    """One exercise to be played.

    Attributes:
        id: name of its file.
        title: in a few words.
        summary: what is told in advance.
        severity: of the case it opens.
        minutes: how long it takes.
        pieces: in order.
        sha256: hash of the file, kept with the record.
    """

    id: str
    title: str
    summary: str
    severity: Severity
    minutes: int
    pieces: tuple[Piece, ...]
    sha256: str


def read(path: Path) -> Script:
    """Return a script.

    Raises:
        ValueError: something is missing, or the pieces are not in order.
        KeyError: as above.
    """
    raw = path.read_bytes()
    fields = tomllib.loads(raw.decode("utf-8"))
    pieces = tuple(
        Piece(one["after"], Phase(one["phase"]), one["tells"], one["asks"], one["good"]) for one in fields["piece"]
    )
    if not pieces or [one.after for one in pieces] != sorted(one.after for one in pieces):
        raise ValueError(f"{path.name}: a script has pieces, in the order of their minutes")
    return Script(
        path.stem,
        fields["title"],
        fields["summary"],
        Severity(fields["severity"]),
        fields["minutes"],
        pieces,
        hashlib.sha256(raw).hexdigest(),
    )


@cache
def scripts() -> dict[str, Script]:
    """Return every script by its id, in order of title."""
    found = [read(path) for path in _FOLDER.glob("*.toml")]
    return {one.id: one for one in sorted(found, key=lambda one: one.title)}


def script(script_id: str) -> Script:
    """Return one script.

    Raises:
        NotFound: there is none of this name.
    """
    if script_id not in scripts():
        raise NotFound("There is no such script.")
    return scripts()[script_id]
