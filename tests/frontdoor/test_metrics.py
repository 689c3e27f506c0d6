"""What is measured: by whom it is read, over several processes, without anybody in it; and the objectives over it."""

import datetime as dt
import os
import re

import pytest
from django.db import DatabaseError
from django_tasks_db.models import DBTaskResult
from prometheus_client.parser import text_string_to_metric_families

from headshotly.access import machines
from headshotly.access.rights import MACHINE_RIGHTS
from headshotly.frontdoor import budgets, duties, gauges, measuring_folder, metrics, objectives, tally
from headshotly.frontdoor.models import ObjectiveCount, ObjectiveTotal
from headshotly.policy import clock
from headshotly.studio.tasks import run_shoot
from tests.access.conftest import make_member
from tests.accounts.conftest import EMAIL, NAME, PASSWORD, _quick, browser, customer, db_all  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(databases="__all__")
ALLOWED_LABELS = {
    "route", "status", "le", "state", "verdict", "what", "duty", "part", "objective", "task", "end", "program",
}  # fmt: skip
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{32}")


@pytest.fixture
def scraper(db_all, monkeypatch):  # noqa: F811
    monkeypatch.setattr(gauges.WHOLE_SERVICE, "read_at", float("-inf"))
    account = machines.create(member=make_member("operations", "maker"), name="prometheus")
    token = machines.issue(
        member=make_member("operations", "issuer"), account_id=account.id, rights=["metrics.read"], days=1
    )
    return browser(HTTP_AUTHORIZATION=f"Bearer {token}")


def families(text: str) -> dict:
    return {one.name: one for one in text_string_to_metric_families(text)}


def values(found: dict, name: str) -> dict:
    return {tuple(one.labels.values()): one.value for one in found[name].samples if one.name.startswith(name)}


@pytest.mark.clause("2.4.a")
def test_nobody_but_a_program_with_the_right_reads_them(customer, scraper):  # noqa: F811
    assert browser().get("/api/metrics/").status_code in {401, 403}
    owner = browser()
    owner.post("/account/sign-in/", {"email": EMAIL, "password": PASSWORD})
    assert owner.get("/api/metrics/").status_code in {401, 403}
    account = machines.create(member=make_member("operations", "third"), name="another")
    others = sorted(MACHINE_RIGHTS - {"metrics.read"})
    token = machines.issue(member=make_member("operations", "fourth"), account_id=account.id, rights=others, days=1)
    assert browser(HTTP_AUTHORIZATION=f"Bearer {token}").get("/api/metrics/").status_code in {401, 403}
    answer = scraper.get("/api/metrics/")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert "no-store" in answer["Cache-Control"]


def test_everything_an_operator_asks_for_is_there_and_nobody_is(customer, scraper, later):  # noqa: F811
    owner = browser()
    owner.post("/account/sign-in/", {"email": EMAIL, "password": PASSWORD})
    owner.get("/studio/")
    owner.get(f"/studio/shoots/{customer.id}/")
    owner.get(f"/nothing/{customer.id}/")
    DBTaskResult.objects.create(
        args_kwargs={"args": [], "kwargs": {}}, task_path=run_shoot.module_path, backend_name="default",
        run_after=clock.now(), priority=0, queue_name="default",
    )  # fmt: skip
    scraper.get("/api/metrics/")
    later(seconds=90)
    gauges.WHOLE_SERVICE.read_at = float("-inf")
    text = scraper.get("/api/metrics/").content.decode()
    found = families(text)
    assert values(found, "headshotly_queue_jobs")[("ready",)] == 1
    assert values(found, "headshotly_queue_oldest_seconds")[()] >= 90
    assert values(found, "headshotly_workers_busy") == {(): 0}
    assert values(found, "headshotly_journal_waiting_entries")[()] > 0
    assert values(found, "headshotly_journal_oldest_waiting_seconds")[()] >= 90
    assert sum(values(found, "headshotly_clauses").values()) == 55
    assert set(values(found, "headshotly_continuity_age_seconds")) == {("backup",), ("mirror",), ("drill",), ("plan",)}
    assert values(found, "headshotly_cases") == {("open",): 0, ("late",): 0}
    assert {"headshotly_detector_behind_entries", "headshotly_detector_silent_seconds", "headshotly_shoots"} <= set(
        found
    )
    assert set(values(found, "headshotly_part_unreadable").values()) == {0}
    counted = {
        (one.labels["route"], one.labels["status"])
        for one in found["headshotly_request_seconds"].samples
        if one.name.endswith("_count")
    }
    assert {("accounts:sign-in", "3xx"), ("studio:shoot", "4xx"), ("none", "4xx")} <= counted
    labels = {name for one in found.values() for sample in one.samples for name in sample.labels}
    assert labels <= ALLOWED_LABELS
    assert not _ID.search(text)
    assert EMAIL not in text
    assert NAME not in text


def test_a_part_that_cannot_be_read_leaves_the_others(scraper, monkeypatch):
    def gone():
        raise DatabaseError

    monkeypatch.setitem(gauges.PARTS, "journal", gone)
    found = families(scraper.get("/api/metrics/").content.decode())
    assert values(found, "headshotly_part_unreadable")[("journal",)] == 1
    assert "headshotly_journal_waiting_entries" not in found
    assert "headshotly_workers_busy" in found


def test_the_edges_of_the_histogram_hold_every_limit():
    limits = {one.seconds for one in objectives.of_kind("requests") if one.seconds}
    assert limits
    assert limits <= set(metrics.EDGES)
    from django.urls import reverse

    for one in objectives.of_kind("requests"):
        for route in one.routes - {"studio:shoot"}:
            assert reverse(route)


@pytest.mark.parametrize(
    "text",
    [
        '[a]\npromise="x"\nkind="requests"\ntarget=1.0',
        '[a]\npromise="x"\nkind="magic"\ntarget=0.9',
        '[a]\npromise="x"\nkind="jobs"\ntarget=0.9',
        '[a]\npromise="x"\nkind="requests"\ntarget=0.9\nlimit=3',
        '[a]\npromise=""\nkind="requests"\ntarget=0.9',
    ],
)
def test_an_objective_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="the objective “a”"):
        objectives.parse(text)


def test_what_counts_as_good():
    assert dict(objectives.judge("accounts:sign-in", 200, 0.5)) == {"availability": True, "sign-in": True}
    assert dict(objectives.judge("accounts:sign-in", 403, 1.5)) == {"availability": True, "sign-in": False}
    assert dict(objectives.judge("accounts:sign-in", 500, 0.1)) == {"availability": False, "sign-in": False}
    assert dict(objectives.judge("none", 404, 0.1)) == {"availability": True}
    assert objectives.judge("metrics", 200, 0.1) == []


def test_counts_are_written_once_and_kept_where_the_database_is_away(db, monkeypatch):
    counting = tally.Tally()
    counting.saw_request("none", 200, 0.1)
    counting.write()
    assert not ObjectiveTotal.objects.exists(), "nothing is counted before it begins"
    counting.begin()
    monkeypatch.setattr(counting, "_writer", object())  # this test writes itself
    for status in (200, 200, 500):
        counting.saw_request("none", status, 0.1)
    real = tally.add

    def refuses(*_given, **_named):
        raise DatabaseError

    monkeypatch.setattr(tally, "add", refuses)
    counting.write()
    assert not ObjectiveCount.objects.exists()
    monkeypatch.setattr(tally, "add", real)
    counting.write()
    counting.write()
    row = ObjectiveTotal.objects.get(objective="availability")
    assert (row.good, row.total) == (2, 3)
    counting.saw_request("none", 200, 0.1)
    counting.write()
    row.refresh_from_db()
    assert (row.good, row.total) == (3, 4)
    assert sum(ObjectiveCount.objects.values_list("total", flat=True)) == 4


def _job(*, asked: dt.datetime, took: float, status: str) -> None:
    row = DBTaskResult.objects.create(
        args_kwargs={"args": [], "kwargs": {}}, task_path=run_shoot.module_path, backend_name="default",
        run_after=asked, priority=0, queue_name="default", status=status,
    )  # fmt: skip
    finished = asked + dt.timedelta(seconds=took)
    DBTaskResult.objects.filter(id=row.id).update(enqueued_at=asked, finished_at=finished)


def test_the_duty_counts_each_job_once_and_the_journal_s_lag(db, later):
    now = clock.now()
    for took, status in ((60.0, "SUCCESSFUL"), (601.0, "SUCCESSFUL"), (5.0, "FAILED")):
        _job(asked=now - dt.timedelta(minutes=20), took=took, status=status)
    duties.count()
    duties.count()
    row = ObjectiveTotal.objects.get(objective="jobs")
    assert (row.good, row.total) == (1, 3)
    _job(asked=now, took=1.0, status="SUCCESSFUL")
    later(seconds=30)
    duties.count()
    row.refresh_from_db()
    assert (row.good, row.total) == (2, 4)
    assert ObjectiveTotal.objects.get(objective="journal").total == 3
    later(days=36)
    duties.count()
    assert ObjectiveCount.objects.filter(objective="jobs").count() == 0
    assert ObjectiveTotal.objects.get(objective="jobs").total == 4, "what Prometheus reads only grows"


def test_budgets_and_burn_rates(db, later):
    one = objectives.objectives()["availability"]
    now = clock.now()
    assert budgets.standing(one.id).met is None
    assert budgets.standing(one.id).left is None
    tally.add(one.id, good=99_990, total=100_000, at=now - dt.timedelta(days=10))
    found = budgets.standing(one.id)
    assert found.met is True
    assert found.left == pytest.approx(0.9)
    assert found.firing is None
    tally.add(one.id, good=900, total=1000, at=now)
    found = budgets.standing(one.id)
    assert found.met is False
    assert found.firing.alarm.severity == "page"
    assert found.firing.long == pytest.approx(100)
    later(minutes=40)
    tally.add(one.id, good=1000, total=1000, at=clock.now())
    found = budgets.standing(one.id)
    assert found.burns[0].long == pytest.approx(50), "the hour still burns"
    assert not found.burns[0].fires, "and the last five minutes do not"
    assert len(found.days) == 30
    assert sum(counts.total for _, counts in found.days) == found.counts.total


def test_a_server_s_folder_outlives_no_server(tmp_path):
    first, held = measuring_folder.make_folder(tmp_path)
    second, also = measuring_folder.make_folder(tmp_path)
    assert first.exists(), "a living server keeps its own"
    os.close(held)
    third, last = measuring_folder.make_folder(tmp_path)
    assert not first.exists()
    assert second.exists()
    assert third.exists()
    os.close(also)
    os.close(last)
