"""The console's pages: what they show, who may do what, and what a wrong step answers."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from headshotly.lifecycle import releases, services
from headshotly.lifecycle.models import Finding, PenetrationTest, Proposal, Release, TrainingRecord
from headshotly.lifecycle.states import State
from headshotly.policy import clock, dates
from tests.access.conftest import at_desk, make_member
from tests.conftest import ALL_DATABASES
from tests.lifecycle.conftest import (
    NEW,
    OLD,
    TEST,
    actor_of,
    cyclonedx,
    found,
    junit,
    result,
    sarif,
    take,
    vulnerability,
)
from tests.lifecycle.test_register import ago
from tests.lifecycle.test_services import MILD, WHY

pytestmark = [pytest.mark.django_db(databases=ALL_DATABASES, transaction=True), pytest.mark.clause("4.3.b")]


def upload(raw: bytes, name: str = "file") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, raw)


def text(answer) -> str:
    return answer.content.decode()


def test_an_empty_register_says_so_and_every_page_opens(officer) -> None:
    desk = at_desk(officer)
    for address, words in {
        "": "No scan was taken in yet",
        "tests/": "No test was held yet.",
        "trainings/": "security-officer-one",
        "releases/": "No release was entered yet.",
    }.items():
        assert words in text(desk.get(f"/staff/findings/{address}"))
    assert desk.get("/staff/findings/F-NOWHERE/").status_code == 404


def test_a_file_is_taken_in_listed_and_shown(officer) -> None:
    desk = at_desk(officer)
    raw = sarif(result(level="error", message={"text": "<script>alert(1)</script>"}))
    assert desk.post("/staff/findings/import/", {"file": upload(raw)}).status_code == 302
    listed = text(desk.get("/staff/findings/"))
    assert found().reference in listed
    assert "30 days left" in listed
    page = text(desk.get(f"/staff/findings/{found().reference}/"))
    assert "&lt;script&gt;alert(1)" in page
    assert "First seen" in page
    assert "Nothing of this kind" in text(desk.get("/staff/findings/?severity=low"))
    assert desk.get("/staff/findings/?owner=somebody").status_code == 404
    refused = desk.post("/staff/findings/import/", {"file": upload(b"{}")})
    assert refused.status_code == 422
    assert "neither SARIF" in text(refused)
    assert desk.post("/staff/findings/import/", {}).status_code == 422


def test_a_late_finding_is_shown_late(officer, later) -> None:
    take(sarif(result(level="error")))
    later(days=33)
    desk = at_desk(officer)
    assert "3 days over" in text(desk.get("/staff/findings/?state=overdue"))
    assert "3 days over" in text(desk.get(f"/staff/findings/{found().reference}/"))


def test_the_steps_of_a_finding(officer, dpo) -> None:
    take(sarif(result(level="error"), at=ago(days=3)))
    desk, other, page = at_desk(officer), at_desk(dpo), f"/staff/findings/{found().reference}/"

    def step(**said):
        return desk.post(page + "step/", said)

    assert step(what="assign", owner=str(officer.id)).status_code == 302
    assert found().owner_id == officer.id
    assert step(what="assign", owner="nobody").status_code == 422
    assert step(what="vanish").status_code == 422
    assert step(what="propose", verdict="accept", reason=WHY, until="soon").status_code == 422
    assert step(what="propose", verdict="shrug", reason=WHY).status_code == 422
    assert step(what="propose", verdict="dismiss", reason=WHY).status_code == 302
    assert "Proposed: it is a false positive" in text(desk.get(page))
    assert desk.post(page + "decide/", {"agreed": "yes"}).status_code == 409
    assert other.post(page + "decide/", {"agreed": "perhaps"}).status_code == 422
    assert other.post(page + "decide/", {"agreed": "no"}).status_code == 302
    assert other.post(page + "decide/", {"agreed": "no"}).status_code == 404
    assert desk.post(page + "rate/", {"vector": MILD, "reason": WHY}).status_code == 409  # their own
    assert other.post(page + "rate/", {"vector": MILD, "reason": WHY}).status_code == 302
    said = {"what": "fixed", "test": TEST, "failed_commit": OLD, "passed_commit": NEW}
    runs = {"failed": upload(junit("failed", at=ago(days=1))), "passed": upload(junit(at=ago(hours=1)))}
    assert step(**said).status_code == 422
    assert step(**said, **runs).status_code == 302
    assert found().state == State.FIXED
    assert TEST in text(desk.get(page))
    assert Proposal.objects.count() == 1


def test_a_component_is_closed_by_its_scanner(officer) -> None:
    take(cyclonedx(vulnerability(), at=ago(days=2)))
    take(cyclonedx(commit=NEW, at=ago(days=1)))
    desk, page = at_desk(officer), f"/staff/findings/{found().reference}/"
    assert "Close it by the two scans" in text(desk.get(page))
    assert "no longer seen since" in text(desk.get("/staff/findings/"))
    assert desk.post(page + "step/", {"what": "fixed-by-scanner"}).status_code == 302
    assert found().state == State.FIXED


@pytest.mark.clause("2.4.a")
def test_an_auditor_reads_and_does_nothing(officer) -> None:
    take(sarif(result(level="error")))
    desk, page = at_desk(make_member("auditor")), f"/staff/findings/{found().reference}/"
    shown = text(desk.get(page))
    assert found().title in shown
    assert "What to do" not in shown
    for address in (
        "import/",
        f"{found().reference}/step/",
        f"{found().reference}/rate/",
        "tests/plan/",
        "releases/record/",
    ):
        assert desk.post(f"/staff/findings/{address}", {}).status_code == 403
    assert at_desk(make_member("support")).get("/staff/findings/").status_code == 403


@pytest.mark.clause("4.3.a")
def test_a_penetration_test_from_plan_to_report(officer) -> None:
    desk, today = at_desk(officer), dates.today().isoformat()
    plan = {"tester": "Pen Ltd", "scope": "All of it, but Stripe.", "planned_on": today}
    assert desk.post("/staff/findings/tests/plan/", {**plan, "planned_on": ""}).status_code == 422
    assert desk.post("/staff/findings/tests/plan/", plan).status_code == 302
    test = PenetrationTest.objects.get()
    report = {"what": "report", "began_on": today, "ended_on": today, "report": upload(b"%PDF x", "r.pdf"),
              "findings": upload(b"id,title,severity\nP-1,Open door,critical\n", "f.csv")}  # fmt: skip
    assert desk.post(f"/staff/findings/tests/{test.id}/", {"what": "shred"}).status_code == 422
    assert desk.post(f"/staff/findings/tests/{test.id}/report/").status_code == 404
    assert desk.post(f"/staff/findings/tests/{test.id}/", report).status_code == 302
    assert "in date" in text(desk.get("/staff/findings/tests/"))
    assert Finding.objects.get().title == "Open door"
    assert "1 in the register</a>, 1 not closed" in text(desk.get("/staff/findings/tests/"))
    Finding.objects.update(state=State.FIXED, closed_at=clock.now())
    assert "1 in the register</a>, 0 not closed" in text(desk.get("/staff/findings/tests/"))
    saved = desk.post(f"/staff/findings/tests/{test.id}/report/")
    assert (saved.content, saved["Content-Type"]) == (b"%PDF x", "application/octet-stream")
    assert at_desk(make_member("auditor")).post(f"/staff/findings/tests/{test.id}/report/").status_code == 403
    assert desk.post(f"/staff/findings/tests/{test.id}/", {"what": "cancel"}).status_code == 409


@pytest.mark.clause("4.3.a")
def test_a_test_whose_day_is_over_without_a_report_says_so(officer, later) -> None:
    desk, today = at_desk(officer), dates.today().isoformat()
    desk.post("/staff/findings/tests/plan/", {"tester": "Pen Ltd", "scope": "All of it.", "planned_on": today})
    assert "waits for its report" not in text(desk.get("/staff/findings/tests/"))
    later(days=1)
    assert "waits for its report" in text(at_desk(officer).get("/staff/findings/tests/"))
    PenetrationTest.objects.update(cancelled_at=clock.now())
    assert "waits for its report" not in text(at_desk(officer).get("/staff/findings/tests/"))


@pytest.mark.clause("4.1.b")
def test_a_course_is_recorded_for_somebody_else(officer, developer) -> None:
    desk, today = at_desk(officer), dates.today()
    said = {"member": str(developer.id), "course": "OWASP", "provider": "School", "passed_on": today.isoformat(),
            "expires_on": today.replace(year=today.year + 1).isoformat()}  # fmt: skip
    assert desk.post("/staff/findings/trainings/record/", {**said, "member": str(officer.id)}).status_code != 302
    assert desk.post("/staff/findings/trainings/record/", said).status_code == 302
    assert TrainingRecord.objects.get().member_id == developer.id
    assert "OWASP" in text(desk.get("/staff/findings/trainings/"))


@pytest.mark.clause("4.2.a")
def test_a_release_from_entry_to_going_out(officer, developer) -> None:
    author, reviewer = at_desk(developer), at_desk(officer)
    record = {
        "commit": OLD,
        "changed": False,
        "at": clock.now().isoformat(),
        "gates": dict.fromkeys(releases.GATES, "PASS"),
    }
    said = {"version": "2.0", "author": str(developer.id), "gates": upload(json.dumps(record).encode())}
    assert author.post("/staff/findings/releases/record/", said).status_code == 302
    made = Release.objects.get()
    assert "somebody else reviews it" in text(author.get("/staff/findings/releases/"))
    page = f"/staff/findings/releases/{made.id}/"
    assert author.post(page + "out/").status_code == 409
    assert author.post(page + "review/", {"words": WHY}).status_code == 409
    assert reviewer.post(page + "review/", {"words": WHY}).status_code == 302
    assert "Let 2.0 go out" in text(author.get("/staff/findings/releases/"))
    assert author.post(page + "out/").status_code == 302
    assert "released" in text(author.get("/staff/findings/releases/"))


def test_whoever_left_is_not_named_and_their_proposal_is_decided(officer, dpo, developer) -> None:
    take(sarif(result(level="error")))
    services.propose(actor=actor_of(developer), finding_id=found().id, verdict=services.Verdict.DISMISS, reason=WHY)
    developer.is_active = False
    developer.save()
    page = f"/staff/findings/{found().reference}/"
    assert "somebody who left" in text(at_desk(dpo).get(page))
    assert at_desk(dpo).post(page + "decide/", {"agreed": "yes"}).status_code == 302
    assert found().state == State.FALSE_POSITIVE


def test_what_a_scan_s_document_accepts_waits_for_somebody_and_is_said_to_come_from_it(officer) -> None:
    way = {"kind": "external", "status": "accepted", "justification": "Python cannot leave it out."}
    take(sarif(result(suppressions=[way])))
    desk = at_desk(officer)
    for address in ("", f"{found().reference}/"):
        page = text(desk.get(f"/staff/findings/{address}"))
        assert "Python cannot leave it out." in page
        assert "a scan&#x27;s own document" in page
    assert found().state == State.OPEN
