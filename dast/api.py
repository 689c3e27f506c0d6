"""The API as schemathesis sees it: every answer held against the OpenAPI document, with input good and bad."""

import copy
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
    objects: frozenset[str] = frozenset(),
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
        objects: operations on one object, which is there: ``GET /photos/{photo_id}``. They are looked at before
            anything is deleted: schemathesis, too, deletes what an earlier answer named.

    Raises:
        ScanFailed: schemathesis made no complete report, or did not see an object that is there.
    """
    command = [
        str(tools / "schemathesis"), "--config-file", str(_CONFIGURATION), "run", document,
        "--url", url, "--tls-verify", str(authority or "false"),
        "--max-examples", str(examples), "--generation-deterministic", "--no-shrink", "--continue-on-failure",
        "--checks", "all", "--exclude-checks", _LEFT_OUT, "--workers", str(workers),
        "--report", "json", "--request-timeout", "15", "--no-color",
    ]  # fmt: skip
    command += choice
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]

    def asked(name: str, *only: str) -> tuple[Path, float]:
        report = scratch / f"{name}.json"
        whole = [*command, "--report-json-path", str(report), *only]
        return report, run(whole, seconds=seconds, scratch=scratch, codes=_SAID_FAILURES)[0]

    looked = asked("looks", "--exclude-method", "DELETE", "--phases", "examples") if objects else None
    report, took = asked("schemathesis")
    if looked is None:
        return read(report, seconds=took)
    return read(report, seconds=looked[1] + took, objects=objects, looks=looked[0])


def with_examples(
    document: Mapping[str, Any], *, ids: Mapping[str, Sequence[str]], bodies: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an OpenAPI document that names, as examples, what is there; schemathesis asks for those first of all.

    Args:
        document: OpenAPI 3.
        ids: name of a parameter → ids that belong there. What deletes is given the last, so that the others stay.
        bodies: ``operationId`` → a body that the operation takes.
    """
    made: dict[str, Any] = copy.deepcopy(dict(document))
    for path in made["paths"].values():
        for method, operation in path.items():
            which = -1 if method == "delete" else 0
            for parameter in operation.get("parameters", []):
                if ids.get(parameter["name"]):
                    parameter["example"] = ids[parameter["name"]][which]
            if operation["operationId"] in bodies:
                content = operation["requestBody"]["content"]["application/json"]
                content["example"] = bodies[operation["operationId"]]
    return made


def object_operations(document: Mapping[str, Any]) -> frozenset[str]:
    """Return the operations of an OpenAPI document that are about one object: ``GET /photos/{photo_id}``."""
    return frozenset(
        f"{method.upper()} {path}" for path, methods in document["paths"].items() if "{" in path for method in methods
    )


def read(
    report: Path, *, seconds: float = 0.0, objects: frozenset[str] = frozenset(), looks: Path | None = None
) -> Scan:
    """Return what a report of schemathesis says.

    Args:
        report: its JSON file.
        seconds: how long it took.
        objects: operations on one object, where there is one for each: every look at one must have answered 2xx
            once. What changes or deletes one may have been too late for it.
        looks: the report of an earlier run, before anything was deleted.

    Raises:
        ScanFailed: a report is missing, an operation could not be tested, or of an object only refusals were seen.
    """
    said = _said(report)
    runs = [said] if looks is None else [_said(looks, whole=False), said]
    found = [_found(failure, each) for one in runs for failure in one["failures"] for each in failure["operations"]]
    asked = {name for one in runs for name in one["valid_rates"]}
    answered = {
        name for one in runs for name, phases in one["valid_rates"].items()
        if any(rate["accepted"] for rate in phases.values())
    }  # fmt: skip
    if unseen := sorted(name for name in objects - answered if name.startswith("GET ")):
        raise ScanFailed(f"Only refusals were seen of {', '.join(unseen)}: the customer of the scan had nothing there.")
    notes = [f"{len(answered)} of {said['operations']['tested']} operations answered 2xx at least once."]
    if objects:
        notes[0] += f" Of those on one object: {len(objects & answered)} of {len(objects)}."
    notes += [f"{name}: only refusals were seen." for name in sorted((objects | asked) - answered)]
    covered = frozenset(name.partition(" ")[2] for name in asked)
    return Scan("schemathesis", said["schemathesis_version"], found, covered, notes, seconds)


def _said(report: Path, *, whole: bool = True) -> dict[str, Any]:
    """Return a report as it is; ``whole``: it must be of every operation, not only of those with an example."""
    try:
        said: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        operations = said["operations"]
    except (OSError, ValueError, KeyError) as error:
        raise ScanFailed(f"schemathesis left no report: {type(error).__name__}.") from error
    if not said["complete"] or said["errors"] or not 0 < operations["tested"] >= whole * operations["selected"]:
        what = f"{operations['tested']} of {operations['selected']} operations, {len(said['errors'])} errors"
        raise ScanFailed(f"schemathesis did not test the whole API: {what}. {json.dumps(said['errors'])[:800]}")
    if locked := [one for one in said["warnings"]["missing_auth"] if said["valid_rates"].get(one)]:
        raise ScanFailed(f"schemathesis was not let in, so it saw nothing behind the door: {', '.join(locked)}.")
    return said


def _found(failure: dict[str, Any], operation: str) -> Found:
    rule = re.sub(r"[^a-z0-9]+", "-", failure["title"].lower()).strip("-")
    method, _, path = operation.partition(" ")
    words = f"{operation}: {failure['title']} ({failure['code']} in schemathesis' list)."
    return Found(rule, path, words, _LEVELS.get(failure["severity"], "warning"), method, _CWE.get(rule, 0))
