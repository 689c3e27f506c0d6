"""What the scanners said, read and written down again; the scanners themselves run in the gate (``make dast``)."""

import datetime as dt
import json
import re
import sys
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dast import acceptance, api, crawl, permitted, planted, program, results, seeding, serving, tls
from dast.results import Found, Scan, ScanFailed

REPOSITORY = Path(__file__).resolve().parents[2]
NOW = dt.datetime(2026, 11, 27, 12, 0, tzinfo=dt.UTC)
DONE = "\n".join(f"[*] Launching module {name}" for name in crawl.MODULES.split(",")[1:])


def wapiti_says(tmp_path: Path, **groups: Any) -> Path:
    page = {"request": {"url": "https://localhost:1234/studio/?a=1"}, "response": {"status_code": 200}}
    written = {
        "infos": {"version": "Wapiti 3.3.2", "crawled_pages": [page], "crawled_pages_nbr": 40},
        "vulnerabilities": {"SQL Injection": []},
        "anomalies": {"Internal Server Error": []},
        **groups,
    }
    path = tmp_path / "wapiti.json"
    path.write_text(json.dumps(written))
    return path


def flaw(**more: Any) -> dict[str, Any]:
    return {"method": "POST", "path": "/language/", "parameter": "next", "info": "a 500 on https://localhost:1234/x",
            "level": 3, **more}  # fmt: skip


def test_wapitis_report_becomes_findings_that_name_no_port(tmp_path: Path) -> None:
    report = wapiti_says(tmp_path, anomalies={"Internal Server Error": [flaw(), flaw()]})
    said = DONE.replace("module sql", "module sql\n[+] GET /a\n[+] POST /b\nMax attack time was reached for module sql")
    scan = crawl.read(report, f"[+] GET /before\n{said}\n[+] GET /c")
    assert [(one.rule, one.place, one.level, one.cwe) for one in scan.found] == [
        ("internal-server-error", "/language/", "error", 755)
    ]
    assert "localhost" not in scan.found[0].words
    assert scan.covered == {"/studio/"}
    assert len(scan.notes) == len(crawl.MODULES.split(",")) - 1
    assert [note for note in scan.notes if "sql" in note or "xxe" in note or "“xss" in note] == [
        "The attack “sql” was broken off when its time was over, after 2 of 40 addresses and forms.",
        "The attack “xss” was done: 0 of 40 addresses and forms.",
        "The attack “xxe” was done: 1 of 40 addresses and forms.",
    ]


@pytest.mark.parametrize(
    "said",
    ["", DONE.replace("module sql", "module nothing"), f"{DONE}\n[!] Module mod_xss seems broken and will be skipped"],
)
def test_an_attack_that_did_not_run_is_no_clean_report(tmp_path: Path, said: str) -> None:
    with pytest.raises(ScanFailed):
        crawl.read(wapiti_says(tmp_path), said)


@pytest.mark.parametrize("read", [tls.read, api.read, lambda path: crawl.read(path, DONE)])
@pytest.mark.parametrize("text", [None, "", "{}", "[", '{"server_scan_results": []}'])
def test_a_missing_or_broken_report_is_an_error(tmp_path: Path, read: Any, text: str | None) -> None:
    report = tmp_path / "report.json"
    if text is not None:
        report.write_text(text)
    with pytest.raises(ScanFailed):
        read(report)


def test_an_api_that_was_not_tested_whole_is_an_error(tmp_path: Path) -> None:
    report = tmp_path / "schemathesis.json"
    said: dict[str, Any] = {
        "schemathesis_version": "4.32.5", "complete": True, "errors": [], "warnings": {"missing_auth": []}, "valid_rates": {"GET /a": {"x": {"accepted": 0}}},
        "operations": {"selected": 1, "tested": 1}, "failures": [
            {"title": "Server error", "code": "ST101", "severity": "critical", "operations": ["GET /a"]}],
    }  # fmt: skip
    report.write_text(json.dumps(said))
    scan = api.read(report)
    assert [(one.rule, one.place, one.detail, one.level) for one in scan.found] == [
        ("server-error", "/a", "GET", "error")
    ]
    assert scan.notes == ["0 of 1 operations answered 2xx at least once.", "GET /a: only refusals were seen."]
    for broken in ({"complete": False}, {"errors": ["x"]}, {"operations": {"selected": 0, "tested": 0}},
                   {"operations": {"selected": 2, "tested": 1}}, {"warnings": {"missing_auth": ["GET /a"]}}):  # fmt: skip
        report.write_text(json.dumps(said | broken))
        with pytest.raises(ScanFailed):
            api.read(report)


def test_an_object_that_is_there_and_was_not_seen_is_an_error(tmp_path: Path) -> None:
    report = tmp_path / "schemathesis.json"
    seen, refused = {"x": {"accepted": 0}, "y": {"accepted": 2}}, {"x": {"accepted": 0}}
    objects = frozenset({"GET /photos/{photo_id}", "DELETE /photos/{photo_id}"})
    said: dict[str, Any] = {
        "schemathesis_version": "4.32.5", "complete": True, "errors": [], "warnings": {"missing_auth": []}, "failures": [],
        "operations": {"selected": 3, "tested": 3},
        "valid_rates": {"GET /photos": seen, "GET /photos/{photo_id}": seen, "DELETE /photos/{photo_id}": refused},
    }  # fmt: skip
    report.write_text(json.dumps(said))
    assert api.read(report, objects=objects).notes == [
        "2 of 3 operations answered 2xx at least once. Of those on one object: 1 of 2.",
        "DELETE /photos/{photo_id}: only refusals were seen.",
    ]
    for unseen in (refused, None):
        rates = said["valid_rates"] | {"GET /photos/{photo_id}": unseen}
        report.write_text(json.dumps(said | {"valid_rates": {name: one for name, one in rates.items() if one}}))
        with pytest.raises(ScanFailed, match=r"Only refusals were seen of GET /photos/\{photo_id\}:"):
            api.read(report, objects=objects)


def test_what_was_seen_before_it_was_deleted_counts_and_so_does_what_was_found_then(tmp_path: Path) -> None:
    """In the whole run an object may be deleted before it is looked at; the looks come before."""
    seen, refused, look = {"x": {"accepted": 1}}, {"x": {"accepted": 0}}, "GET /photos/{photo_id}"
    said: dict[str, Any] = {
        "schemathesis_version": "4.32.5", "complete": True, "errors": [], "warnings": {"missing_auth": []}, "failures": [],
        "operations": {"selected": 2, "tested": 2},
        "valid_rates": {look: refused, "DELETE /photos/{photo_id}": seen},
    }  # fmt: skip
    failure = {"title": "Server error", "code": "ST101", "severity": "critical", "operations": [look]}
    first = said | {"operations": {"selected": 1, "tested": 1}, "valid_rates": {look: seen}, "failures": [failure]}
    report, looks = tmp_path / "schemathesis.json", tmp_path / "looks.json"
    report.write_text(json.dumps(said))
    looks.write_text(json.dumps(first))
    objects = frozenset(said["valid_rates"])
    scan = api.read(report, objects=objects, looks=looks)
    assert scan.notes == ["2 of 2 operations answered 2xx at least once. Of those on one object: 2 of 2."]
    assert [(one.rule, one.place) for one in scan.found] == [("server-error", "/photos/{photo_id}")]
    for broken in (first | {"complete": False}, first | {"valid_rates": {look: refused}}, None):
        looks.unlink() if broken is None else looks.write_text(json.dumps(broken))
        with pytest.raises(ScanFailed):
            api.read(report, objects=objects, looks=looks)


def test_the_document_is_told_what_is_there_and_what_may_be_deleted() -> None:
    document = json.loads((REPOSITORY / "docs" / "formats" / "openapi.json").read_text())
    before = json.dumps(document)
    body = {"photo_ids": ["a"], "styles": ["cv"]}
    told = api.with_examples(document, ids={"photo_id": ["a", "b"], "job_id": ["c"]}, bodies={"start_job": body})
    assert json.dumps(document) == before

    def example(method: str, path: str) -> dict[str, Any]:
        given = told["paths"][path][method]["parameters"]
        return {one["name"]: one["example"] for one in given if "example" in one}

    assert example("get", "/photos/{photo_id}") == example("get", "/photos/{photo_id}/preview") == {"photo_id": "a"}
    assert example("delete", "/photos/{photo_id}") == {"photo_id": "b"}
    assert example("get", "/results") == {"job_id": "c"}
    assert example("get", "/results/{result_id}") == {}
    assert told["paths"]["/jobs"]["post"]["requestBody"]["content"]["application/json"]["example"] == body


def test_every_object_of_the_api_is_one_that_the_customer_is_given() -> None:
    """What is new in the API and about one object must be given too, or the scan could not see it."""
    document = json.loads((REPOSITORY / "docs" / "formats" / "openapi.json").read_text())
    objects = api.object_operations(document)
    assert "DELETE /photos/{photo_id}" in objects
    assert "GET /photos" not in objects
    named = {name for one in objects for name in re.findall(r"\{(\w+)\}", one)}
    assert named == set(seeding.KINDS)


def test_the_pages_of_staff_are_those_that_the_table_opens() -> None:
    table = """# Who
| address | permission | visitor | officer |
|---|---|---|---|
| `/staff/` | staff | 302 | 200 |
| `/staff/people/add/` | staff | 302 | 405 |
| `/staff/cases/\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}int:number›/` | staff | 302 | 200 |
| `/policy/` | public | 200 | 200 |
| `headshotly staff create` | operator |
"""
    assert permitted.pages(table, who="officer", below="/staff/") == {"/staff/"}
    for refused in (
        {"table": "", "who": "officer", "below": "/staff/"},
        {"table": table, "who": "nobody", "below": "/staff/"},
        {"table": table, "who": "visitor", "below": "/staff/"},
    ):
        with pytest.raises(ScanFailed):
            permitted.pages(**refused)
    ours = (REPOSITORY / "docs" / "permissions.md").read_text()
    assert {"/staff/", "/staff/incidents/", "/staff/people/"} <= permitted.pages(
        ours, who="security-officer", below="/staff/"
    )


def test_the_planted_flaw_behind_the_door_shows_itself_only_to_who_is_signed_in() -> None:
    def ask(cookie: str) -> tuple[str, bytes]:
        said: list[str] = []
        asked = {"PATH_INFO": "/desk", "QUERY_STRING": "name=<b>hat", "REQUEST_METHOD": "GET", "HTTP_COOKIE": cookie}
        body = b"".join(planted.application(asked, lambda status, _headers: said.append(status)))
        return said[0], body

    signed_in = "; ".join(f"{name}={value}" for name, value in planted.SIGNED_IN.items())
    assert ask(f"a=b; {signed_in}") == ("200 OK", b"<title>Desk</title><p>Nobody is called <b>hat</p>")
    for cookie in ("", "desk=no", "a=b"):
        status, body = ask(cookie)
        assert status.startswith("403")
        assert b"<b>" not in body


@pytest.mark.parametrize(
    ("form", "to"),
    [
        ('<form method="post">', "/here/"),
        ('<form class="x" method="post" action="/buy/?a=1&amp;b=2">', "/buy/?a=1&b=2"),
    ],
)
def test_a_form_goes_where_it_says(form: str, to: str) -> None:
    other = '<form action="/language/"><input type="hidden" name="next" value="/"><button name="language"></form>'
    hidden = '<input type="hidden" name="token" value="a&quot;b">'
    page = serving.Page(200, "/here/", f'{other}{form}{hidden}<input name="count" value="5"></form>')
    assert page.form(["count"]) == (to, {"token": 'a"b'})
    with pytest.raises(ScanFailed, match="asks for size"):
        page.form(["size"])


def test_test_photos_that_are_missing_are_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(seeding, "_REPOSITORY", tmp_path / "in")
    monkeypatch.setenv("HEADSHOTLY_SHARED", str(tmp_path / "nowhere"))
    with pytest.raises(ScanFailed, match="HEADSHOTLY_SHARED"):
        seeding.photos()


def test_the_report_is_sarif_with_rules_levels_places_and_fingerprints(tmp_path: Path) -> None:
    weak = Found("weak-cipher", "/", "The server accepts RC4.", "error", "RC4", cwe=327)
    known = Found("tls-curves", "/", "More curves.", "note", "X448")
    scans = [Scan("sslyze", "6", [weak, known], notes=["a note"]), Scan("sslyze", "6", [weak])]
    path = tmp_path / "findings" / "dast-sslyze.sarif"
    results.write(path, scans, accepted={known.fingerprint: ("a reason", dt.date(2026, 12, 1))}, at=NOW)
    report = json.loads(path.read_text())
    (run,) = report["runs"]
    assert report["version"] == "2.1.0"
    assert run["invocations"][0]["executionSuccessful"] is True
    assert run["invocations"][0]["endTimeUtc"] == "2026-11-27T12:00:00Z"
    first, second = run["results"]
    assert [one["ruleId"] for one in run["results"]] == ["tls-curves", "weak-cipher"]
    assert first["suppressions"][0]["justification"] == "a reason"
    assert "suppressions" not in second
    assert second["level"] == "error"
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "/"
    assert len(second["partialFingerprints"]["dast/v1"]) == 40
    for one in run["results"]:
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
    assert "external/cwe/cwe-327" in run["tool"]["driver"]["rules"][second["ruleIndex"]]["properties"]["tags"]


def test_a_fingerprint_stays_when_only_the_words_change() -> None:
    one = Found("a", "/x/", "said so", detail="q")
    assert one.fingerprint == Found("a", "/x/", "said otherwise", "error", "q", 79).fingerprint
    assert (
        len(
            {
                one.fingerprint,
                Found("a", "/y/", "", detail="q").fingerprint,
                Found("a", "/x/", "", detail="r").fingerprint,
            }
        )
        == 3
    )


def test_a_fingerprint_does_not_know_the_ids_of_a_run() -> None:
    first, second = (f"/orders/{uuid.uuid4()}/refund/" for _ in range(2))
    assert Found("a", first, "").fingerprint == Found("a", second, "").fingerprint
    assert Found("a", first, "").fingerprint == Found("a", "/orders/*/refund/", "").fingerprint
    assert Found("a", first, "").fingerprint != Found("a", "/orders/1/refund/", "").fingerprint


def test_what_is_accepted_ends_on_its_day(tmp_path: Path) -> None:
    file = tmp_path / "accepted.toml"
    entry = '[[accepted]]\ntool = "wapiti"\nrule = "a"\nplace = "/"\nreason = "because"\n'
    file.write_text(entry + "until = 2026-12-01\n")
    print_of = Found("a", "/", "").fingerprint
    assert acceptance.in_force("wapiti", today=dt.date(2026, 12, 1), file=file) == {
        print_of: ("because", dt.date(2026, 12, 1))
    }
    assert acceptance.in_force("wapiti", today=dt.date(2026, 12, 2), file=file) == {}
    assert acceptance.in_force("sslyze", today=dt.date(2026, 12, 1), file=file) == {}
    for refused in (entry, entry + "until = 2036-01-01\n", entry.replace("because", "") + "until = 2026-12-01\n"):
        file.write_text(refused)
        with pytest.raises(ValueError, match="without a reason"):
            acceptance.in_force("wapiti", today=dt.date(2026, 12, 1), file=file)


def test_our_own_list_of_accepted_findings_is_in_order() -> None:
    for tool in planted.MUST_FIND:
        acceptance.in_force(tool, today=NOW.date())


def test_a_tool_that_hangs_fails_or_is_missing_is_an_error(tmp_path: Path) -> None:
    for command, seconds, why in (
        ([sys.executable, "-c", "import time; time.sleep(60)"], 0.5, "did not end"),
        ([sys.executable, "-c", "import sys; print('no'); sys.exit(3)"], 30, "ended with 3: no"),
        ([str(tmp_path / "missing")], 1, "could not be started"),
    ):
        with pytest.raises(ScanFailed, match=why):
            program.run(command, seconds=seconds, scratch=tmp_path)
    assert "HEADSHOTLY" not in program.run(
        [sys.executable, "-c", "import os; print(sorted(os.environ))"], seconds=30, scratch=tmp_path
    )[1]  # fmt: skip


def test_every_tool_has_flaws_that_it_must_find() -> None:
    assert set(planted.MUST_FIND) == {"sslyze", "wapiti", "schemathesis", "callback"}
    assert all(planted.MUST_FIND.values())


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize(
    ("seen_from", "begins", "scope", "left"),
    [
        ("", "/form/", "page", []),
        ("/form/?a=1", "/form/?a=1", "page", []),
        ("/desk/", "/desk/", "domain", ["/sign-out/*", "/", "/other/"]),  # a second look does not sign out either
    ],
)
def test_what_was_concluded_from_pages_differing_is_looked_at_again(
    monkeypatch, tmp_path: Path, there: bool, seen_from: str, begins: str, scope: str, left: list[str]
) -> None:
    from dast import __main__ as program_of_ours

    injection = Found("sql-injection", "/form/", "POST: SQL Injection", "error", "POST name", 89, seen_from)
    twice = replace(injection, detail="POST other")
    certain = Found("internal-server-error", "/form/", "POST: a 500", "error", "POST name", 755)
    asked = []

    def again(url: str, **named: Any) -> Scan:
        how = (named["modules"], named.get("scope", "domain"), named["cookies"], list(named.get("leave_alone", [])))
        asked.append((url, *how))
        return Scan("wapiti", found=[injection] if there else [], covered=frozenset({"/form/"}))

    monkeypatch.setattr(crawl, "scan", again)
    first = Scan("wapiti", found=[injection, twice, certain], notes=["before"],
                 covered=frozenset({"/", "/form/", "/desk/", "/other/"}))  # fmt: skip
    scan = program_of_ours._looked_at_again(first, "https://localhost:1", tmp_path, {"a": "b"}, ["/sign-out/*"])
    assert asked == [(f"https://localhost:1{begins}", "sql", scope, {"a": "b"}, left)]
    assert scan.found == ([injection, twice, certain] if there else [certain])
    assert scan.notes == ["before"] + (
        [] if there else ["“sql-injection” at /form/ was seen once, and not when looked at again."]
    )


def test_what_led_to_a_place_is_kept_for_the_second_look(tmp_path: Path) -> None:
    flaws = [flaw(referer="https://localhost:1234/desk/"), flaw(path="/studio/", parameter="a"), flaw(path="/x/")]
    said = f"{DONE}\n[+] GET https://localhost:1234/studio/?a=1 (2)\n[+] GET https://localhost:1234/x/ (0)"
    scan = crawl.read(wapiti_says(tmp_path, anomalies={"Internal Server Error": flaws}), said)
    assert [one.seen_from for one in scan.found] == ["/desk/", "/studio/?a=1", ""]
