"""A verification as text, JSON, JUnit XML or SARIF 2.1.0."""

import json
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # nosec B405 - it writes, nothing is parsed

from headshotly.proof.selectors import ClauseState
from headshotly.proof.verdicts import Verdict

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# kind and level (SARIF 2.1.0, 3.27.9 and 3.27.10): a level but “none” goes with the kind “fail” only.
_SARIF = {
    Verdict.FAIL: ("fail", "error"),
    Verdict.ERROR: ("fail", "error"),
    Verdict.STALE: ("review", "none"),
    Verdict.UNKNOWN: ("open", "none"),
    Verdict.EXCEPTED: ("fail", "warning"),
    Verdict.ATTESTED: ("informational", "none"),
    Verdict.PASS: ("pass", "none"),
}
_FAILED = frozenset({Verdict.FAIL, Verdict.ERROR, Verdict.STALE})
HOLDS, FAILED, UNDECIDED = 0, 1, 3


def exit_code(judged: Sequence[ClauseState]) -> int:
    """Return 1 where a clause is FAIL, ERROR or STALE; else 3 where one is UNKNOWN or nothing was asked; else 0."""
    verdicts = {one.judgement.verdict for one in judged}
    if verdicts & _FAILED:
        return FAILED
    return UNDECIDED if not verdicts or Verdict.UNKNOWN in verdicts else HOLDS


def row(judged: ClauseState) -> dict[str, Any]:
    """Return one clause as a plain object: ``clause``, ``verdict``, ``reason``, ``observed_at``, ``environment``."""
    seen = judged.judgement
    return {
        "clause": judged.clause.id,
        "verdict": seen.verdict.value,
        "reason": seen.reason,
        "observed_at": seen.observed_at.isoformat(timespec="seconds") if seen.observed_at else None,
        "environment": seen.environment.value if seen.environment else None,
    }


def as_json(judged: Sequence[ClauseState]) -> str:
    """Return a list of objects, one a clause, in the order of the text."""
    return json.dumps([row(one) for one in judged], ensure_ascii=False, indent=1) + "\n"


def as_text(judged: Sequence[ClauseState]) -> str:
    """Return one line a clause: verdict, number, reason."""
    lines = [f"{one.judgement.verdict.value:<9} {one.clause.id:<8} {one.judgement.reason}" for one in judged]
    counts = [(verdict, sum(one.judgement.verdict is verdict for one in judged)) for verdict in Verdict]
    total = ", ".join(f"{count} {verdict.value}" for verdict, count in counts if count)
    return "\n".join([*lines, "", f"{len(judged)} clauses: {total}."]) + "\n"


def as_junit(judged: Sequence[ClauseState]) -> str:
    """Return JUnit XML: a clause is a test case; FAIL and STALE are failures, ERROR an error, UNKNOWN skipped."""
    verdicts = [one.judgement.verdict for one in judged]
    suite = Element(
        "testsuite",
        name="policy",
        tests=str(len(judged)),
        failures=str(sum(one in {Verdict.FAIL, Verdict.STALE} for one in verdicts)),
        errors=str(verdicts.count(Verdict.ERROR)),
        skipped=str(verdicts.count(Verdict.UNKNOWN)),
    )
    for one in judged:
        case = SubElement(suite, "testcase", classname=f"policy.{one.clause.kind}", name=one.clause.id)
        seen = one.judgement
        match seen.verdict:
            case Verdict.FAIL | Verdict.STALE:
                SubElement(case, "failure", type=seen.verdict.value, message=seen.reason)
            case Verdict.ERROR:
                SubElement(case, "error", type=seen.verdict.value, message=seen.reason)
            case Verdict.UNKNOWN:
                SubElement(case, "skipped", message=seen.reason)
            case _:
                SubElement(case, "system-out").text = f"{seen.verdict.value}: {seen.reason}"
    indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def as_sarif(judged: Sequence[ClauseState]) -> str:
    """Return SARIF 2.1.0 (OASIS): a clause is a rule, its verdict a result at the sentence of the text."""
    rules = [
        {
            "id": one.clause.id,
            "shortDescription": {"text": one.clause.sentence},
            "help": {"text": " ".join(state.check.words for state in one.checks) or one.explained},
        }
        for one in judged
    ]
    results = [
        {
            "ruleId": one.clause.id,
            "ruleIndex": place,
            "kind": _SARIF[one.judgement.verdict][0],
            "level": _SARIF[one.judgement.verdict][1],
            "message": {"text": f"{one.judgement.verdict.value}: {one.judgement.reason}"},
            "locations": [
                {"physicalLocation": {"artifactLocation": {"uri": "headshotly/policy/clauses.toml"}}},
            ],
        }
        for place, one in enumerate(judged)
    ]
    driver = {"name": "headshotly policy verify", "rules": rules}
    document = {
        "$schema": _SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


FORMATS: dict[str, Callable[[Sequence[ClauseState]], str]] = {
    "text": as_text,
    "json": as_json,
    "junit": as_junit,
    "sarif": as_sarif,
}
