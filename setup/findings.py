# ruff: noqa: INP001 - a program of its own, no package
"""Brings what the gates found into SARIF 2.1.0 and CycloneDX, each with its commit, for the findings register.

``findings.py stamp FILE…`` writes commit and time into what tools wrote; ``findings.py secrets IN OUT`` and
``findings.py licences IN OUT`` make SARIF.
"""

import datetime as dt
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parents[1]
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SOURCE = "https://headshotly.ai/source"
# What ships must be usable in a commercial product; ``gates.sh`` refuses by the same words.
_LICENCES = (
    "MIT", "BSD", "Apache", "PSF", "Python Software Foundation", "ISC", "LGPL", "GNU Lesser General Public License",
    "GNU Library or Lesser General Public License", "MPL", "Mozilla Public License", "HPND", "Unlicense", "0BSD",
    "Public Domain", "CC0", "Zlib",
)  # fmt: skip


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    answer = subprocess.run(command, cwd=_HERE, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    return answer.stdout.strip()


def _commit() -> str:
    """Return the commit that was looked at; empty where the tree differs from it, for then it was another source."""
    return "" if _git("status", "--porcelain") else _git("rev-parse", "HEAD")


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")  # noqa: TID251 - no rooms are loaded here


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def stamp(path: Path) -> None:
    """Write into a document which commit it is about, when it was made, and where that is missing, by what."""
    document = json.loads(path.read_text(encoding="utf-8"))
    if document.get("bomFormat") == "CycloneDX":
        _stamp_bill(document)
    else:
        for run in document["runs"]:
            _stamp_run(run)
    _write(path, document)


def _stamp_bill(document: dict[str, Any]) -> None:
    metadata = document.setdefault("metadata", {})
    version = importlib.metadata.version("pip-audit")
    metadata["tools"] = {"components": [{"type": "application", "name": "pip-audit", "version": version}]}
    metadata["timestamp"] = _now()
    if _commit():
        metadata["properties"] = [{"name": "headshotly:commit", "value": _commit()}]
    document.setdefault("vulnerabilities", [])  # the tool leaves an empty list out


def _stamp_run(run: dict[str, Any]) -> None:
    if _commit():
        run["versionControlProvenance"] = [{"repositoryUri": _SOURCE, "revisionId": _commit()}]
    for one in run.setdefault("invocations", [{"executionSuccessful": True}]):
        one.setdefault("endTimeUtc", _now())
    for result in run.get("results", []):
        for location in result.get("locations", []):
            _make_relative(location.get("physicalLocation", {}).get("artifactLocation", {}))


def _make_relative(location: dict[str, Any]) -> None:
    """Name a file from the repository's root, so that a finding is the same one on every machine."""
    path = location.get("uri", "").removeprefix("file://").removeprefix(str(_HERE)).lstrip("/")
    location["uri"] = path.removeprefix("./")


def _sarif(tool: str, rules: dict[str, str], results: list[dict[str, Any]]) -> dict[str, Any]:
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": tool,
                "version": importlib.metadata.version(tool),
                "rules": [{"id": rule, "shortDescription": {"text": said}} for rule, said in sorted(rules.items())],
            }
        },
        "results": results,
    }
    _stamp_run(run)
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def secrets(said: Path, report: Path) -> None:
    """Make SARIF of what ``detect-secrets-hook --json`` printed, one object a call; no secret itself is in it."""
    decoder, text, found = json.JSONDecoder(), said.read_text(encoding="utf-8"), []
    while "{" in text:
        # Where known entries only moved, the tool says so in words, in front of or instead of an object.
        text = text[text.index("{") :]
        part, end = decoder.raw_decode(text)
        found += [one for listed in part.get("results", {}).values() for one in listed]
        text = text[end:]
    results = [
        {
            "ruleId": one["type"].replace(" ", "-").lower(),
            "level": "error",
            "message": {"text": f"{one['type']}: this looks like a secret."},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": one["filename"]},
                        "region": {"startLine": max(1, one["line_number"])},
                    }
                }
            ],
            "partialFingerprints": {"secret/v1": one["hashed_secret"]},
        }
        for one in found
    ]
    _write(report, _sarif("detect-secrets", {one["ruleId"]: one["message"]["text"] for one in results}, results))


def licences(said: Path, report: Path) -> None:
    """Make SARIF of what ``pip-licenses --format=json`` printed: each package whose licence is none we may ship."""
    results = [
        {
            "ruleId": "licence-not-allowed",
            "level": "error",
            "message": {"text": f"{one['Name']} {one['Version']} is under “{one['License']}”."},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": "requirements/runtime.lock"}}}],
            "partialFingerprints": {"package/v1": f"package:{one['Name']}"},
        }
        for one in json.loads(said.read_text(encoding="utf-8"))
        if not any(word.casefold() in one["License"].casefold() for word in _LICENCES)
    ]
    _write(report, _sarif("pip-licenses", {"licence-not-allowed": "A licence we may not ship"}, results))


def main() -> None:
    """Do what the first argument names."""
    what, *paths = sys.argv[1:]
    match what, [Path(path) for path in paths]:
        case "stamp", files:
            for file in files:
                stamp(file)
        case "secrets", [said, report]:
            secrets(said, report)
        case "licences", [said, report]:
            licences(said, report)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
