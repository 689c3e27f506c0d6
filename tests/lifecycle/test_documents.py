"""Documents of scanners: what is read out of them, and what is refused."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.lifecycle import bounded, documents, reported_table, severity
from headshotly.lifecycle.errors import DocumentRefused, VectorRefused
from headshotly.lifecycle.severity import Severity
from headshotly.lifecycle.states import Method
from headshotly.policy.refusal import Refusal
from tests.lifecycle.conftest import cyclonedx, result, sarif, vulnerability

V3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
pytestmark = pytest.mark.clause("4.2.b", "4.3.b")


def one(raw: bytes):
    (run,) = documents.read(raw)[1]
    return run


def sighting(raw: bytes):
    (seen,) = one(raw).sightings
    return seen


@pytest.mark.parametrize(
    ("vector", "score", "named"),
    [
        (V3, 9.8, Severity.CRITICAL),
        ("CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 1.8, Severity.LOW),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0, Severity.NONE),
        (V4, 9.3, Severity.CRITICAL),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", 6.9, Severity.MEDIUM),
    ],
)
def test_vectors_come_to_the_published_scores(vector, score, named) -> None:
    grade = severity.of_vector(vector)
    assert (grade.score, grade.severity) == (score, named)


@pytest.mark.parametrize(
    "bad", ["", "CVSS:2.0/AV:N", V3[:-4], V3 + "/AV:N", V3 + "/XX:Y", "CVSS:3.1/" + "A" * 500, "9.8"]
)
def test_what_is_no_vector_is_refused(bad) -> None:
    with pytest.raises(VectorRefused):
        severity.of_vector(bad)


@given(st.floats(min_value=0, max_value=10), st.floats(min_value=0, max_value=10))
def test_a_higher_score_is_never_milder(low, high) -> None:
    low, high = sorted((low, high))
    assert severity.of_score(high).rank <= severity.of_score(low).rank


def test_a_sarif_result_is_read_with_its_rule() -> None:
    rule = {"id": "py.hole", "shortDescription": {"text": "Hole"}, "defaultConfiguration": {"level": "error"},
            "properties": {"tags": ["CWE-79: XSS", "security", "external/cwe/cwe-089"]}}  # fmt: skip
    seen = sighting(sarif(result(), rules=[rule]))
    assert (seen.rule, seen.title, seen.place) == ("py.hole", "Hole", "headshotly/vault/hole.py:7")
    assert (seen.grade.severity, seen.weaknesses) == (Severity.HIGH, (79, 89))
    semgrep = {"id": "py.hole", "shortDescription": {"text": "Semgrep Finding: py.hole"}}
    assert sighting(sarif(result(message={"text": "It is open; shut it."}), rules=[semgrep])).title == "It is open"
    run = one(sarif(result()))
    assert (run.tool, run.method, run.commit, run.succeeded) == ("Semgrep OSS", Method.CODE, "a" * 40, True)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"level": "error"}, Severity.HIGH),
        ({}, Severity.MEDIUM),  # the standard's default is a warning
        ({"level": "note"}, Severity.LOW),
        ({"level": "none"}, Severity.NONE),
        ({"level": "error", "properties": {"security-severity": "2.0"}}, Severity.LOW),
        ({"level": "note", "properties": {"security-severity": 9.1}}, Severity.CRITICAL),
        ({"level": "note", "properties": {"cvss-vector": V4}}, Severity.CRITICAL),
        ({"level": "dreadful"}, Severity.HIGH),
    ],
)
def test_a_vector_beats_a_score_and_a_score_a_level(more, expected) -> None:
    assert sighting(sarif(result(**more))).grade.severity is expected


def test_a_finding_keeps_its_fingerprint_when_lines_move_and_tells_twins_apart() -> None:
    here, there = sighting(sarif(result(line=7))), sighting(sarif(result(line=90, snippet="  open(hole)  ")))
    assert here.fingerprint == there.fingerprint
    twins = one(sarif(result(line=7), result(line=9))).sightings
    assert len({twin.fingerprint for twin in twins}) == 2
    others = [result(rule="x"), result(path="y.py"), result(snippet="z")]
    assert len({sighting(sarif(other)).fingerprint for other in others} | {here.fingerprint}) == 4
    assert sighting(sarif(result(), tool="Bandit")).fingerprint != here.fingerprint


def test_a_fingerprint_of_the_tool_counts_and_a_refusal_in_its_place_does_not() -> None:
    given_ones = [result(snippet=text, fingerprints={"id/v1": "0123456789abcdef"}) for text in ("a", "b")]
    assert len({sighting(sarif(each)).fingerprint for each in given_ones}) == 1
    refusals = [result(snippet=text, fingerprints={"matchBasedId/v1": "requires login"}) for text in ("a", "b")]
    assert len({sighting(sarif(each)).fingerprint for each in refusals}) == 2


def test_what_passed_or_is_waved_through_in_the_code_is_no_finding() -> None:
    raw = sarif(
        result("passes", kind="pass"),
        result("gone", baselineState="absent"),
        result("waved", suppressions=[{"kind": "inSource"}]),
        result("reviewed", suppressions=[{"kind": "inSource", "status": "underReview"}]),
        result("argued", suppressions=[{"kind": "external", "status": "accepted", "justification": "We know."}]),
    )
    run = one(raw)
    assert [(seen.rule, seen.note) for seen in run.sightings] == [("reviewed", ""), ("argued", "We know.")]
    assert [seen.accepted_until for seen in run.sightings] == [None, dt.date.max]
    assert run.suppressed == 1


def test_addresses_lose_what_may_name_a_person() -> None:
    raw = sarif(result(path="https://ada:secret@localhost:8443/account/?email=ada@example.org#me"), tool="wapiti")
    assert sighting(raw).place == "https://localhost:8443/account/:7"
    assert one(raw).method is Method.SERVICE
    assert one(sarif(tool="probes", scope="dast/probes/")).method is Method.SERVICE


def test_a_run_without_results_did_not_come_to_its_end() -> None:
    document = json.loads(sarif())
    del document["runs"][0]["results"]
    assert one(json.dumps(document).encode()).succeeded is False
    assert one(sarif(ok=False)).succeeded is False


def test_text_cannot_steer_a_terminal_or_turn_a_line_around() -> None:
    seen = sighting(sarif(result(message={"text": "red \x1b[31m\u202eback\u2066\x00 end"})))
    assert seen.words == "red [31m back end"
    assert len(sighting(sarif(result(message={"text": "a" * 100_000}))).words) == bounded.LONGEST_TEXT


def test_an_advisory_is_known_by_its_cve_and_its_component_without_the_version() -> None:
    raw = cyclonedx(vulnerability("PYSEC-2026-1", references=[{"id": "CVE-2026-1234"}]))
    first, later = sighting(raw), sighting(cyclonedx(vulnerability(ref="pkg:pypi/thing@2.0"), version="2.0"))
    assert first.fingerprint == later.fingerprint
    assert (first.rule, first.title) == ("CVE-2026-1234", "CVE-2026-1234 in thing 1.0")
    assert first.grade.severity is Severity.HIGH  # nothing was said
    assert one(raw).tool == "pip-audit"


def test_the_newest_cvss_of_a_document_counts_and_a_vex_is_only_noted() -> None:
    ratings = [
        {"method": "CVSSv31", "vector": "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", "severity": "low"},
        {"method": "CVSSv4", "vector": V4},
        {"method": "other", "severity": "info"},
    ]
    analysis = {"state": "not_affected", "justification": "code_not_reachable", "detail": "We never call it."}
    seen = sighting(cyclonedx(vulnerability(ratings=ratings, analysis=analysis, cwes=[79, "x", True, -1])))
    assert seen.grade.vector == V4
    assert seen.note == "not_affected, code_not_reachable, We never call it."
    assert seen.weaknesses == (79,)
    assert sighting(cyclonedx(vulnerability(ratings=[{"severity": "critical"}]))).grade.severity is Severity.CRITICAL


def deep(levels: int) -> bytes:
    return b'{"version": "2.1.0", "runs": ' + b"[" * levels + b"]" * levels + b"}"


def many(count: int) -> bytes:
    return json.dumps(
        {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [{}] * count}]}
    ).encode()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "neither SARIF"),
        (b'{"a": NaN}', "no JSON"),
        (b'{"runs": [], "runs": []}', "twice"),
        (b" " * (bounded.LARGEST_DOCUMENT + 1), "larger than 16 MiB"),
        (deep(80), "deeper than 64"),
        (deep(200_000), "deeper than 64"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "no JSON"),
        (many(bounded.MOST_RESULTS + 1), "at most 5000"),
        (b'{"version": "2.0.0", "runs": [{}]}', "not SARIF 2.1.0"),
        (b'{"version": "2.1.0", "runs": []}', "no run"),
        (b'{"version": "2.1.0", "runs": [7]}', "list of objects"),
        (b'{"version": "2.1.0", "runs": [{}]}', "does not name its tool"),
        (sarif({"message": {"text": "x"}}), "does not name its rule"),
        (sarif(result(message="x")), "not what its format says"),
        (sarif(commit="HEAD"), "full hash"),
        (sarif(result(properties={"cvss-vector": "CVSS:3.1/no"})), "broken CVSS vector"),
        (sarif(result(properties={"security-severity": "11"})), "between 0.0 and 10.0"),
        (sarif(result(properties={"security-severity": "NaN"})), "between 0.0 and 10.0"),
        (b'{"bomFormat": "CycloneDX", "specVersion": "9.9"}', "not CycloneDX 1.4 to 1.7"),
        (b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}', "bill of materials alone"),
        (cyclonedx({"affects": []}), "no id"),
        (cyclonedx(vulnerability(ratings=[{"method": "CVSSv4", "vector": "AV:N/AC:X"}])), "broken CVSS vector"),
    ],
)  # fmt: skip
def test_hostile_documents_are_refused_in_plain_words(raw, says) -> None:
    with pytest.raises(DocumentRefused) as refused:
        documents.read(raw)
    assert says in refused.value.sentence


def answered(raw: bytes):
    """What reading gives: runs, or the sentence of a refusal; anything else goes up and fails the test."""
    try:
        return documents.read(raw)[1]
    except Refusal as refusal:
        return refusal.sentence


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(anything, st.sampled_from(["tool", "results", "invocations", "automationDetails", "versionControlProvenance"]))
def test_no_shape_of_a_run_ends_in_anything_but_an_answer_or_a_refusal(value, key) -> None:
    document = json.loads(sarif(result()))
    document["runs"][0][key] = value
    assert answered(json.dumps(document).encode())


@given(
    anything, st.sampled_from(["ruleId", "locations", "message", "level", "properties", "suppressions", "ruleIndex"])
)
def test_no_shape_of_a_result_ends_in_anything_but_an_answer_or_a_refusal(value, key) -> None:
    assert answered(sarif({**result(), key: value}))


@given(anything, st.sampled_from(["id", "ratings", "affects", "cwes", "analysis", "references", "description"]))
def test_no_shape_of_an_advisory_ends_in_anything_but_an_answer_or_a_refusal(value, key) -> None:
    assert answered(cyclonedx({**vulnerability(), key: value}))


def test_a_testers_table_is_read() -> None:
    raw = f"id;title;cvss;severity;place;cwe\nP-1;Open door;{V4};;https://x/?q=1;CWE-287\nP-2;Dust;;info;;\n".encode()
    first, second = reported_table.read(raw, tester="Pen Ltd").sightings
    assert (first.title, first.grade.severity, first.place, first.weaknesses) == (
        "Open door",
        Severity.CRITICAL,
        "https://x/",
        (287,),
    )
    assert second.grade.severity is Severity.NONE


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "needs the columns"),
        (b"id,title\n1,x\n", "needs the columns"),
        (b"id,title,severity\n", "holds 0 findings"),
        (b"id,title,severity\n1,x,awful\n", "Line 2 of the table needs a severity"),
        (b"id,title,severity\n,x,high\n", "needs an id and a title"),
        (b"id,title,severity\n1,x,high,more\n", "no more cells"),
        (b"id,title,severity\n1,x,high\n1,y,high\n", "the same id"),
        (b"id,title,cvss\n1,x,CVSS:9\n", "Line 2"),
        (b'id,title,severity\n1,"x,high\n', "no CSV"),
        (b"id,title,severity\n1,\xff,high\n", "not in UTF-8"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(raw, says) -> None:
    with pytest.raises(DocumentRefused) as refused:
        reported_table.read(raw, tester="Pen Ltd")
    assert says in refused.value.sentence
