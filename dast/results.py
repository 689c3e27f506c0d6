"""What a scanner found, and the report it is written down in: SARIF 2.1.0 (OASIS standard, 2020)."""

import datetime as dt
import hashlib
import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

type Level = Literal["error", "warning", "note"]
_SCORES: dict[Level, str] = {"error": "8.0", "warning": "5.0", "note": "2.0"}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Found:
    """One weakness at one place.

    Attributes:
        rule: what kind, stable over versions of the tool: ``reflected-cross-site-scripting``.
        place: path of the address, ``/account/sign-in/``; ``/`` where the whole host is meant.
        words: what was seen, in plain words.
        level: how bad, as SARIF says it.
        detail: what tells two at one place apart, such as a parameter.
        cwe: number of the kind of weakness (cwe.mitre.org); 0 where none is known.
        seen_from: path of the page whose form led there, or the place itself as it was first asked for, with its query.
    """

    rule: str
    place: str
    words: str
    level: Level = "warning"
    detail: str = ""
    cwe: int = 0
    seen_from: str = ""

    @property
    def fingerprint(self) -> str:
        """Return what stays the same from run to run; an id, which is new each time, counts as ``*``."""
        place = _UUID.sub("*", self.place)
        return hashlib.sha256(f"{self.rule}\x1f{place}\x1f{self.detail}".encode()).hexdigest()[:40]


@dataclass(slots=True)
class Scan:
    """What one tool did with one target.

    Attributes:
        tool: its name.
        version: of the tool.
        found: the weaknesses.
        covered: paths that were looked at.
        notes: what the tool left undone, in plain words; no failure.
        seconds: how long it took.
    """

    tool: str
    version: str = ""
    found: list[Found] = field(default_factory=list)
    covered: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


class ScanFailed(Exception):
    """A tool did not do its work; nothing is known then, neither good nor bad."""


def write(path: Path, scans: Sequence[Scan], *, accepted: dict[str, tuple[str, dt.date]], at: dt.datetime) -> None:
    """Write the scans of one tool as one run.

    Args:
        path: of the report.
        scans: of one and the same tool, at least one; what two of them found is written once.
        accepted: fingerprint → reason and last day, of findings that somebody accepted until a day.
        at: when they ended.
    """
    found = {one.fingerprint: one for scan in scans for one in scan.found}
    rules = sorted({one.rule: one for one in found.values()}.items())
    numbers = {rule: number for number, (rule, _) in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": scans[0].tool,
                "version": scans[0].version,
                "rules": [_rule(rule, one) for rule, one in rules],
            }
        },
        "automationDetails": {"id": f"dast/{scans[0].tool}/"},
        "versionControlProvenance": _provenance(),
        "invocations": [
            {
                "executionSuccessful": True,
                "endTimeUtc": at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": note}} for scan in scans for note in scan.notes
                ],
            }
        ],
        "results": [
            _result(one, numbers[one.rule], accepted.get(one.fingerprint))
            for one in sorted(found.values(), key=lambda one: (one.rule, one.place, one.detail))
        ],
    }
    report = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _rule(rule: str, example: Found) -> dict[str, Any]:
    return {
        "id": rule,
        "shortDescription": {"text": rule.replace("-", " ").capitalize()},
        "defaultConfiguration": {"level": example.level},
        "properties": {
            "security-severity": _SCORES[example.level],
            "tags": ["security", "dast", *([f"external/cwe/cwe-{example.cwe}"] if example.cwe else [])],
        },
    }


def _result(one: Found, number: int, accepted: tuple[str, dt.date] | None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "ruleId": one.rule,
        "ruleIndex": number,
        "level": one.level,
        "message": {"text": one.words},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": one.place}}}],
        "partialFingerprints": {"dast/v1": one.fingerprint},
        "properties": {"detail": one.detail},
    }
    if accepted:
        reason, until = accepted
        made["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": reason, "properties": {"until": f"{until}"}}
        ]
    return made


def _provenance() -> list[dict[str, str]]:
    command = ["git", "rev-parse", "HEAD"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    commit = answer.stdout.strip()
    return [{"repositoryUri": "https://headshotly.ai/source", "revisionId": commit}] if commit else []
