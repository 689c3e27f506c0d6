"""The console's pages: who sees them, and what they say when things go well and badly."""

import json

import pytest

from headshotly.audit.acts import Act
from headshotly.audit.models import PendingEntry
from headshotly.continuity import plan, services
from headshotly.continuity.drilling import StepResult
from headshotly.continuity.models import BackupRecord, BackupState, DrillRecord, PlanReview
from headshotly.policy import clock
from tests.access.conftest import at_desk, make_member
from tests.continuity.conftest import DATABASES

pytestmark = pytest.mark.django_db(databases=DATABASES)


def drill(*, passed: bool) -> DrillRecord:
    step = {"id": "restore", "title": "Restore <everything>", "who": "operations", "ran": True, "passed": passed,
            "seconds": 2.5, "sentence": "3 objects and 5 keys; every hash fits."}  # fmt: skip
    assert set(step) == set(StepResult.__slots__)
    document = {
        "began_at": clock.now().isoformat(), "environment": "test", "region": "eu-north-1", "backup": "b",
        "recovery_seconds": 12.5 if passed else None, "loss_seconds": 5400, "entries_lost": 7, "objects": 3,
        "object_bytes": 4000, "steps": [step],
        "plan": {"sha256": plan.plan().sha256, "recovery_hours": 4.0, "data_loss_hours": 24.0},
    }  # fmt: skip
    return DrillRecord.objects.create(
        began_at=clock.now(), ended_at=clock.now(), passed=passed, recovery_seconds=12.5 if passed else None,
        loss_seconds=5400, sentence="Every step ran inside the objectives." if passed else "Restore: no.",
        signed=json.dumps({"signed": document, "signature": "c2ln" if passed else ""}),
    )  # fmt: skip


def test_an_empty_house_says_what_is_missing():
    page = at_desk(make_member("operations")).get("/staff/continuity/").content.decode()
    for sentence in ("There is no whole backup yet.", "No drill was held yet.", "Nobody has reviewed the plan"):
        assert sentence in page
    assert page.count("badge--failed") == 4


def test_what_was_done_is_shown_and_a_later_failure_counts():
    services.mirror()
    BackupRecord.objects.create(
        began_at=clock.now(), snapshot_at=clock.now(), ended_at=clock.now(), state=BackupState.COMPLETE,
        generation=1, machine="m", held_by=["eu-central-1", "eu-north-1"], object_count=3,
    )  # fmt: skip
    held = drill(passed=True)
    client = at_desk(make_member("operations"))
    page = client.get("/staff/continuity/").content.decode()
    assert page.count('badge--done">inside the objective') == 3
    assert "eu-central-1, eu-north-1" in page
    steps = client.get(f"/staff/continuity/drills/{held.id}/").content.decode()
    assert "Restore &lt;everything&gt;" in steps
    assert "1 h 30 min, inside the objective of 24 hours" in steps
    paper = client.get(f"/staff/continuity/drills/{held.id}/report.pdf")
    assert paper.content.startswith(b"%PDF")
    record = client.get(f"/staff/continuity/drills/{held.id}/record.json")
    assert json.loads(record.content)["signature"] == "c2ln"
    drill(passed=False)
    page = client.get("/staff/continuity/").content.decode()
    assert page.count('badge--done">inside the objective') == 2
    assert "Restore: no." in page


@pytest.mark.clause("6.2.a")
def test_the_plan_is_reviewed_by_operations_and_only_as_it_is_now():
    client = at_desk(make_member("operations"))
    page = client.get("/staff/continuity/plan/").content.decode()
    assert all(step.title in page for step in plan.plan().steps)
    refused = client.post("/staff/continuity/plan/review/", {"sha256": "0" * 64})
    assert refused.status_code == 409
    assert not PlanReview.objects.exists()
    done = client.post("/staff/continuity/plan/review/", {"sha256": plan.plan().sha256})
    assert done.status_code == 302
    assert PlanReview.objects.get().reviewer.role == "operations"
    assert any(Act.PLAN_REVIEWED.value.encode() in bytes(row.leaf) for row in PendingEntry.objects.all())
    assert "in date" in client.get("/staff/continuity/plan/").content.decode()
    auditor = at_desk(make_member("auditor"))
    assert "I have read the plan" not in auditor.get("/staff/continuity/plan/").content.decode()
    assert auditor.post("/staff/continuity/plan/review/", {"sha256": plan.plan().sha256}).status_code == 403


def test_an_unknown_drill_is_not_found():
    client = at_desk(make_member("auditor"))
    assert client.get("/staff/continuity/drills/00000000-0000-0000-0000-000000000007/").status_code == 404
