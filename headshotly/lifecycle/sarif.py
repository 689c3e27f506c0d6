"""Reading SARIF 2.1.0 (OASIS standard, 2020): what a run of a tool saw, where, and how bad; pure."""

import datetime as dt
import re
from collections import Counter
from typing import Any
from urllib.parse import unquote, urlsplit

from headshotly.lifecycle import severity
from headshotly.lifecycle.bounded import LONGEST_LINE, MOST_RUNS, clean, commit, moment, number, rows, table, text
from headshotly.lifecycle.errors import DocumentRefused, VectorRefused
from headshotly.lifecycle.severity import Grade
from headshotly.lifecycle.sightings import Run, Sighting, fingerprint
from headshotly.lifecycle.states import Method, method_of

VERSION = "2.1.0"
_COUNTS = frozenset({"fail", "review", "open", ""})
_STABLE = re.compile(r"[\w:/.+=-]{8,256}")
_CWE = re.compile(r"cwe[-/]?0*(\d{1,5})", re.IGNORECASE)
_MOST_RULES = 20_000


def is_sarif(document: dict[str, Any]) -> bool:
    """Say whether a document means to be SARIF."""
    return "runs" in document and "version" in document


def read(document: dict[str, Any]) -> list[Run]:
    """Return every run of a document.

    Raises:
        DocumentRefused: it is of another version, empty, or not what the standard says.
    """
    if document.get("version") != VERSION:
        raise DocumentRefused(f"This is not SARIF {VERSION}.")
    runs = rows(document, "runs", most=MOST_RUNS)
    if not runs:
        raise DocumentRefused("The document holds no run of any tool.")
    return [_run(one) for one in runs]


def _run(found: dict[str, Any]) -> Run:
    driver = table(table(found, "tool"), "driver")
    tool = text(driver, "name", longest=80)
    if not tool:
        raise DocumentRefused("A run does not name its tool.")
    rules = rows(driver, "rules", most=_MOST_RULES)
    invocations = rows(found, "invocations", most=MOST_RUNS)
    ended = [text(one, "endTimeUtc", longest=64) or text(one, "startTimeUtc", longest=64) for one in invocations]
    provenance = rows(found, "versionControlProvenance", most=MOST_RUNS)
    seen, suppressed = _sightings(found, tool, rules)
    scope = text(table(found, "automationDetails"), "id", longest=120)
    return Run(
        tool=tool,
        version=text(driver, "semanticVersion", longest=40) or text(driver, "version", longest=40),
        scope=scope,
        method=_method(tool, scope),
        commit=commit(text(provenance[0], "revisionId", longest=100)) if provenance else "",
        ran_at=max((at for at in map(moment, ended) if at is not None), default=None),
        succeeded=all(one.get("executionSuccessful") is not False for one in invocations) and "results" in found,
        suppressed=suppressed,
        sightings=seen,
    )


def _method(tool: str, scope: str) -> Method:
    """Return how a tool looks, by its name, else by the category its document stands in (section 3.17.3)."""
    known = method_of(tool)
    return method_of(scope.partition("/")[0]) if known is Method.OTHER else known


def _sightings(found: dict[str, Any], tool: str, rules: list[dict[str, Any]]) -> tuple[tuple[Sighting, ...], int]:
    by_id = {text(rule, "id", longest=LONGEST_LINE): rule for rule in rules}
    made: list[Sighting] = []
    twins: Counter[str] = Counter()
    suppressed = 0
    for result in rows(found, "results"):
        if result.get("baselineState") == "absent" or text(result, "kind", longest=40) not in _COUNTS:
            continue
        if _is_suppressed(result):
            suppressed += 1
            continue
        rule_id = text(result, "ruleId", longest=LONGEST_LINE) or text(
            table(result, "rule"), "id", longest=LONGEST_LINE
        )
        rule = by_id.get(rule_id) or _by_index(rules, result)
        rule_id = rule_id or text(rule, "id", longest=LONGEST_LINE)
        if not rule_id:
            raise DocumentRefused("A result does not name its rule.")
        path, line, anchor = _place(result)
        # Two alike in one file are told apart by their order, not by their lines, which move with every edit.
        base = fingerprint("result", tool, rule_id, path, _given(result) or anchor or line)
        twins[base] += 1
        made.append(
            Sighting(
                fingerprint=base if twins[base] == 1 else fingerprint(base, str(twins[base])),
                rule=rule_id,
                title=_title(result, rule, rule_id),
                words=_said(result, rule),
                place=clean(f"{path}:{line}" if path and line else path, longest=LONGEST_LINE),
                grade=_grade(result, rule),
                weaknesses=_weaknesses(result, rule),
                note=_argued(result),
                accepted_until=_accepted_until(result),
            )
        )
    return tuple(made), suppressed


def _is_suppressed(result: dict[str, Any]) -> bool:
    """Say whether the code itself waves it through (section 3.35); about all else the register decides."""
    listed = [one for one in rows(result, "suppressions") if text(one, "kind", longest=40) == "inSource"]
    return bool(listed) and all(text(one, "status", longest=40) in {"", "accepted"} for one in listed)


def _argued(result: dict[str, Any]) -> str:
    """Return why a document says it was accepted elsewhere; that is noted, and accepts nothing here."""
    said = [text(one, "justification", longest=LONGEST_LINE) for one in rows(result, "suppressions")]
    return "; ".join(filter(None, said))[:LONGEST_LINE]


def _accepted_until(result: dict[str, Any]) -> dt.date | None:
    """Return the last day of an acceptance outside the code; the far end of time where it names none, None for none.

    The standard has no field for the day (section 3.35); its property bag ``until`` is ours, an ISO date.

    Raises:
        DocumentRefused: the day is none.
    """
    listed = [one for one in rows(result, "suppressions") if text(one, "kind", longest=40) == "external"]
    if not listed or any(text(one, "status", longest=40) not in {"", "accepted"} for one in listed):
        return None
    if not _argued(result):
        return None  # nobody says why
    ends = [moment(text(table(one, "properties"), "until", longest=40)) for one in listed]
    return min((end.date() for end in ends if end is not None), default=dt.date.max)


def _by_index(rules: list[dict[str, Any]], result: dict[str, Any]) -> dict[str, Any]:
    index = result.get("ruleIndex", -1)
    return rules[index] if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(rules) else {}


def _place(result: dict[str, Any]) -> tuple[str, str, str]:
    """Return path or address, line, and what the place says, without its blanks."""
    locations = rows(result, "locations")
    physical = table(locations[0], "physicalLocation") if locations else {}
    region = table(physical, "region")
    address = text(table(physical, "artifactLocation"), "uri", longest=LONGEST_LINE)
    line = number(region, "startLine")
    snippet = text(table(region, "snippet"), "text", longest=1000)
    return without_query(address), str(int(line)) if line and 0 < line < 1e7 else "", snippet  # noqa: PLR2004 - lines


def without_query(address: str) -> str:
    """Return an address or path without account, query and fragment, which may name a person."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme in {"http", "https"}:
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}"
    path = unquote(parts.path if parts.scheme == "file" else address.partition("?")[0].partition("#")[0])
    return clean(path.removeprefix("./"), longest=LONGEST_LINE)


def _given(result: dict[str, Any]) -> str:
    """Return the fingerprint a tool gives; none where it only looks like one (“requires login”)."""
    for key in ("fingerprints", "partialFingerprints"):
        named = table(result, key)
        for name in sorted(named):
            value = named[name]
            if isinstance(value, str) and _STABLE.fullmatch(value):
                return f"{clean(name, longest=80)}={value}"
    return ""


def _said(result: dict[str, Any], rule: dict[str, Any]) -> str:
    message = table(result, "message")
    said = text(message, "text") or text(message, "markdown")
    if not said and (named := text(message, "id", longest=80)):
        said = text(table(table(rule, "messageStrings"), named), "text")
    return said or text(table(rule, "fullDescription"), "text")


def _title(result: dict[str, Any], rule: dict[str, Any], rule_id: str) -> str:
    """Return what it is in a line: the rule's own words, unless they only repeat its id; else the message's first."""
    named = text(table(rule, "shortDescription"), "text", longest=160)
    if named and rule_id not in named:
        return named
    return clean(re.split(r"(?<=[.;:])\s", _said(result, rule), maxsplit=1)[0].rstrip(".;:"), longest=160) or rule_id


def _grade(result: dict[str, Any], rule: dict[str, Any]) -> Grade:
    """Return how bad: a vector, else GitHub's ``security-severity`` score, else the level (default: warning)."""
    for source in (table(result, "properties"), table(rule, "properties")):
        for key in ("cvss-vector", "cvssV4_vectorString", "cvssV3_1_vectorString", "cvss"):
            said = source.get(key)
            if isinstance(said, str) and said.startswith("CVSS:"):
                try:
                    return severity.of_vector(said)
                except VectorRefused as refusal:
                    raise DocumentRefused(f"A result carries a broken CVSS vector. {refusal.sentence}") from refusal
        score = number(source, "security-severity")
        if score is not None:
            try:
                return severity.of_given_score(score)
            except VectorRefused as refusal:
                raise DocumentRefused(refusal.sentence) from refusal
    level = text(result, "level", longest=40) or text(table(rule, "defaultConfiguration"), "level", longest=40)
    return severity.of_level(level or "warning")


def _weaknesses(result: dict[str, Any], rule: dict[str, Any]) -> tuple[int, ...]:
    said = []
    for source in (table(result, "properties"), table(rule, "properties")):
        tags = source.get("tags")
        said += [one for one in tags[:200] if isinstance(one, str)] if isinstance(tags, list) else []
    return tuple(sorted({int(found[1]) for one in said for found in [_CWE.search(one[:200])] if found}))[:20]
