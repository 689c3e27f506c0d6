"""The API as schemathesis sees it: every answer held against the OpenAPI document, with input good and bad."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dast.program import run
from dast.results import Found, Level, Scan, ScanFailed

_LEVELS: dict[str, Level] = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_CWE = {"server-error": 755, "ignored-auth": 306, "use-after-free": 672, "object-level-authorization": 639}
_CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
# A request may keep to the document and still be refused with 422: a photo without a face, a key that was used before.
_LEFT_OUT = "positive_data_acceptance"
_SAID_FAILURES = frozenset({0, 1})  # 1: it did its work and found something


def scan(
    url: str, document: str, *, tools: Path, scratch: Path, authority: Path | None,
    headers: Mapping[str, str], examples: int, seconds: float = 60, workers: int = 2, choice: Sequence[str] = (),
) -> Scan:  # fmt: skip
    """Return what schemathesis finds in an API.

    Args:
        url: of the host.
        document: path or address of the OpenAPI document.
        tools: folder of the programs.
        scratch: where its report may lie.
        authority: PEM file that vouches for the certificate; None where it is not looked at.
        headers: sent with every request, such as the token.
        examples: cases for each operation and phase.
        seconds: after which it is given up.
        workers: operations at a time.
        choice: options that choose operations; empty for all.

    Raises:
        ScanFailed: schemathesis made no complete report.
    """
    report = scratch / "schemathesis.json"
    command = [
        str(tools / "schemathesis"), "--config-file", str(_CONFIGURATION), "run", document,
        "--url", url, "--tls-verify", str(authority or "false"),
        "--max-examples", str(examples), "--generation-deterministic", "--no-shrink", "--continue-on-failure",
        "--checks", "all", "--exclude-checks", _LEFT_OUT, "--workers", str(workers),
        "--report", "json", "--report-json-path", str(report),
        "--request-timeout", "15", "--no-color",
    ]  # fmt: skip
    command += choice
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    took, _ = run(command, seconds=seconds, scratch=scratch, codes=_SAID_FAILURES)
    return read(report, seconds=took)


def read(report: Path, *, seconds: float = 0.0) -> Scan:
    """Return what a report of schemathesis says.

    Raises:
        ScanFailed: the report is missing, or an operation could not be tested.
    """
    try:
        said = json.loads(report.read_text(encoding="utf-8"))
        operations = said["operations"]
    except (OSError, ValueError, KeyError) as error:
        raise ScanFailed(f"schemathesis left no report: {type(error).__name__}.") from error
    if not said["complete"] or said["errors"] or not 0 < operations["tested"] == operations["selected"]:
        what = f"{operations['tested']} of {operations['selected']} operations, {len(said['errors'])} errors"
        raise ScanFailed(f"schemathesis did not test the whole API: {what}. {json.dumps(said['errors'])[:800]}")
    if locked := [one for one in said["warnings"]["missing_auth"] if said["valid_rates"].get(one)]:
        raise ScanFailed(f"schemathesis was not let in, so it saw nothing behind the door: {', '.join(locked)}.")
    found = [_found(failure, operation) for failure in said["failures"] for operation in failure["operations"]]
    covered = frozenset(operation.partition(" ")[2] for operation in said["valid_rates"])
    notes = [
        f"{operation}: no example was accepted, so only refusals were seen."
        for operation, phases in sorted(said["valid_rates"].items())
        if not any(rate["accepted"] for rate in phases.values())
    ]
    return Scan("schemathesis", said["schemathesis_version"], found, covered, notes, seconds)


def _found(failure: dict[str, Any], operation: str) -> Found:
    rule = re.sub(r"[^a-z0-9]+", "-", failure["title"].lower()).strip("-")
    method, _, path = operation.partition(" ")
    words = f"{operation}: {failure['title']} ({failure['code']} in schemathesis' list)."
    return Found(rule, path, words, _LEVELS.get(failure["severity"], "warning"), method, _CWE.get(rule, 0))
