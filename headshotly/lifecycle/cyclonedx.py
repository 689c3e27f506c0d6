"""Reading CycloneDX JSON 1.4 to 1.7 (ECMA-424): advisories against components, and what a VEX says of them; pure."""

import re
from typing import Any

from headshotly.lifecycle import severity
from headshotly.lifecycle.bounded import LONGEST_LINE, MOST_RESULTS, commit, moment, number, rows, table, text
from headshotly.lifecycle.errors import DocumentRefused, VectorRefused
from headshotly.lifecycle.severity import Grade
from headshotly.lifecycle.sightings import Run, Sighting, fingerprint
from headshotly.lifecycle.states import Method, method_of

VERSIONS = frozenset({"1.4", "1.5", "1.6", "1.7"})
COMMIT = "headshotly:commit"  # the property that says of which commit this is
FAILED = "headshotly:failed"  # the property that says that the tool did not come to its end
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_MOST_COMPONENTS = 50_000
_BY_METHOD = ("CVSSv4", "CVSSv31", "CVSSv3")


def is_cyclonedx(document: dict[str, Any]) -> bool:
    """Say whether a document means to be CycloneDX."""
    return document.get("bomFormat") == "CycloneDX"


def read(document: dict[str, Any]) -> list[Run]:
    """Return the one run a document stands for.

    Raises:
        DocumentRefused: it is of another version, lists no advisories at all, or is not what the standard says.
    """
    if document.get("specVersion") not in VERSIONS:
        raise DocumentRefused("This is not CycloneDX 1.4 to 1.7.")
    if "vulnerabilities" not in document:
        raise DocumentRefused(
            "This is a bill of materials alone: it has no list of vulnerabilities, not even an empty one."
        )
    metadata = table(document, "metadata")
    said = {text(one, "name", longest=120): text(one, "value", longest=120) for one in rows(metadata, "properties")}
    tool, version = _tool(metadata)
    method = method_of(tool)
    return [
        Run(
            tool=tool,
            version=version,
            scope=text(table(metadata, "component"), "name", longest=120),
            method=Method.DEPENDENCIES if method is Method.OTHER else method,
            commit=commit(said.get(COMMIT, "")),
            ran_at=moment(text(metadata, "timestamp", longest=64)),
            succeeded=said.get(FAILED, "no") == "no",
            suppressed=0,
            sightings=_sightings(document),
        )
    ]


def _tool(metadata: dict[str, Any]) -> tuple[str, str]:
    listed = metadata.get("tools")
    found = (
        rows(metadata, "tools", most=50) if isinstance(listed, list) else rows(table(metadata, "tools"), "components")
    )
    if not found:
        return "CycloneDX", ""
    # A library that only wrote the file is not the tool that looked.
    tool = next((one for one in found if method_of(text(one, "name", longest=80)) is not Method.OTHER), found[0])
    return text(tool, "name", longest=80) or "CycloneDX", text(tool, "version", longest=40)


def _components(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return reference → (name without version, name with version); nested components too, without recursion."""
    found: dict[str, tuple[str, str]] = {}
    waiting = rows(document, "components", most=_MOST_COMPONENTS)
    while waiting:
        one = waiting.pop()
        waiting += rows(one, "components", most=_MOST_COMPONENTS)
        if len(found) > _MOST_COMPONENTS:
            raise DocumentRefused(f"The document lists more than {_MOST_COMPONENTS} components.")
        name, version = text(one, "name", longest=160), text(one, "version", longest=80)
        purl = text(one, "purl", longest=LONGEST_LINE).partition("?")[0]
        bare = purl.rpartition("@")[0] or purl or name
        reference = text(one, "bom-ref", longest=LONGEST_LINE) or purl or name
        found[reference] = (bare, f"{name} {version}".strip())
    return found


def _sightings(document: dict[str, Any]) -> tuple[Sighting, ...]:
    components = _components(document)
    found: dict[str, Sighting] = {}
    for one in rows(document, "vulnerabilities"):
        advisory = _advisory(one)
        grade = _grade(one)
        for affected in rows(one, "affects") or [{}]:
            reference = text(affected, "ref", longest=LONGEST_LINE)
            bare, shown = components.get(reference, (reference.rpartition("@")[0] or reference, reference))
            mark = fingerprint("advisory", advisory, bare)
            found[mark] = Sighting(
                fingerprint=mark,
                rule=advisory,
                title=f"{advisory} in {shown}" if shown else advisory,
                words=text(one, "description") or text(one, "detail"),
                place=shown or bare,
                grade=grade,
                weaknesses=_weaknesses(one),
                note=_analysis(one),
            )
            if len(found) > MOST_RESULTS:
                raise DocumentRefused(f"The document names more than {MOST_RESULTS} pairs of advisory and component.")
    return tuple(found.values())


def _advisory(one: dict[str, Any]) -> str:
    """Return what an advisory goes by: its CVE where it has one, so that two databases name one finding."""
    names = [text(one, "id", longest=120), *(text(other, "id", longest=120) for other in rows(one, "references"))]
    known = [name for name in names if _CVE.fullmatch(name)]
    if not (names[0] or known):
        raise DocumentRefused("A vulnerability has no id.")
    return known[0] if known else names[0]


def _grade(one: dict[str, Any]) -> Grade:
    """Return how bad: the worst rating by the newest CVSS that is given, else the worst word, else unsaid."""
    ratings = rows(one, "ratings", most=100)
    for method in _BY_METHOD:
        of_method = [_rated(rating) for rating in ratings if rating.get("method") == method]
        founded = [grade for grade in of_method if grade.score is not None]
        if founded:
            return severity.worst(founded)
    words = [severity.of_level(text(rating, "severity", longest=40)) for rating in ratings if "severity" in rating]
    return severity.worst(words)


def _rated(rating: dict[str, Any]) -> Grade:
    vector, score = text(rating, "vector", longest=severity.LONGEST_VECTOR), number(rating, "score")
    try:
        if vector:
            prefix = {"CVSSv31": "CVSS:3.1/", "CVSSv3": "CVSS:3.0/", "CVSSv4": "CVSS:4.0/"}[rating["method"]]
            return severity.of_vector(vector if vector.startswith("CVSS:") else prefix + vector)
        if score is not None:
            return severity.of_given_score(score)
    except VectorRefused as refusal:
        raise DocumentRefused(f"A rating carries a broken CVSS vector or score. {refusal.sentence}") from refusal
    return severity.of_level(text(rating, "severity", longest=40))


def _weaknesses(one: dict[str, Any]) -> tuple[int, ...]:
    listed = one.get("cwes")
    numbers = listed[:100] if isinstance(listed, list) else []
    return tuple(sorted({cwe for cwe in numbers if type(cwe) is int and 0 < cwe < 100_000}))[:20]  # noqa: PLR2004 - CWE


def _analysis(one: dict[str, Any]) -> str:
    """Return what a VEX says; it is somebody's word and closes nothing by itself."""
    analysis = table(one, "analysis")
    said = [text(analysis, key, longest=LONGEST_LINE) for key in ("state", "justification", "detail")]
    return ", ".join(filter(None, said))
