"""The threat model: STRIDE for each room, each threat with its clauses and the tests that show it held; pure."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).resolve().parent / "threats.toml"
STRIDE = {
    "S": "Spoofing",
    "T": "Tampering",
    "R": "Repudiation",
    "I": "Information disclosure",
    "D": "Denial of service",
    "E": "Elevation of privilege",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Threat:
    """What may happen in one room, and what holds it.

    Attributes:
        id: such as ``vault-T1``: room, first kind, number.
        room: where.
        kinds: letters of ``STRIDE``.
        threat: what may happen.
        held: what holds it.
        clauses: ids of the promises it would break.
        tests: ``file::test`` of what shows that it is held.
        residual: what is left, in a sentence; empty where nothing is known to be.
        open: why nothing shows it yet; empty where something does.
    """

    id: str
    room: str
    kinds: str
    threat: str
    held: str
    clauses: tuple[str, ...]
    tests: tuple[str, ...]
    residual: str = ""
    open: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """One room of the house with its threats.

    Attributes:
        name: of the folder.
        keeps: what an attacker would want.
        quiet: kind → why there is no threat of it.
        threats: in the order written down.
    """

    name: str
    keeps: str
    quiet: dict[str, str]
    threats: tuple[Threat, ...]

    @property
    def quiet_words(self) -> list[tuple[str, str]]:
        """Return each quiet kind by its name, with the reason."""
        return [(STRIDE[kind], why) for kind, why in self.quiet.items()]

    @property
    def answered(self) -> str:
        """Return the letters of every kind it answers for, each once."""
        return "".join(sorted({*self.quiet, *"".join(one.kinds for one in self.threats)}))


@cache
def model() -> tuple[Room, ...]:
    """Return every room with its threats.

    Raises:
        KeyError: a threat lacks a part, or names a room that is not listed.
    """
    written = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    found: dict[str, list[Threat]] = {name: [] for name in written["rooms"]}
    for one in written["threat"]:
        mine = found[one["room"]]
        number = 1 + sum(known.kinds[0] == one["kinds"][0] for known in mine)
        mine.append(
            Threat(
                id=f"{one['room']}-{one['kinds'][0]}{number}",
                room=one["room"],
                kinds=one["kinds"],
                threat=one["threat"],
                held=one["held"],
                clauses=tuple(one["clauses"]),
                tests=tuple(one["tests"]),
                residual=one.get("residual", ""),
                open=one.get("open", ""),
            )
        )
    return tuple(
        Room(name, fields["keeps"], fields.get("quiet", {}), tuple(found[name]))
        for name, fields in written["rooms"].items()
    )


def as_markdown() -> str:
    """Return the model as ``docs/threat-model.md`` holds it."""
    lines = [
        "# The threat model",
        "",
        "STRIDE for each room. Made from `headshotly/proof/threats.toml`; `tests/proof/test_threats.py` holds",
        "it against the rooms, the clauses and the tests that it names. The same stands at `/trust/threat-model/`.",
        "Letters: " + ", ".join(f"{letter} {name.lower()}" for letter, name in STRIDE.items()) + ".",
    ]
    for room in model():
        lines += ["", f"## {room.name}: {room.keeps}", "", "| id | kind | threat | held by | clauses | shown by |"]
        lines += ["|---|---|---|---|---|---|"]
        for one in room.threats:
            rest = f" **Left:** {one.residual}" if one.residual else ""
            shown = "<br>".join(f"`{test}`" for test in one.tests) or f"**open:** {one.open}"
            cells = (one.id, one.kinds, one.threat, one.held + rest, ", ".join(one.clauses), shown)
            lines.append("| " + " | ".join(cells) + " |")
        if room.quiet:
            said = "; ".join(f"{kind.lower()}: {why}" for kind, why in room.quiet_words)
            lines += ["", f"No threat seen of {said}."]
    return "\n".join(lines) + "\n"
