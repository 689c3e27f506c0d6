"""Penetration tests: planned, reported, sealed, due again."""

import datetime as dt

import pytest

from headshotly.access.errors import PermissionMissing
from headshotly.access.warrants import penetration_warrant
from headshotly.audit.acts import Act
from headshotly.lifecycle import penetration
from headshotly.lifecycle.errors import DocumentRefused, Incomplete, LimitsRefused, NotFound, StepRefused
from headshotly.lifecycle.models import Finding, PenetrationTest, Scan
from headshotly.policy import configuration, dates
from headshotly.vault.errors import WarrantRefused
from headshotly.vault.models import StoredObject
from tests.conftest import ALL_DATABASES
from tests.lifecycle.conftest import actor_of, found, result, sarif
from tests.lifecycle.test_register import journalled

pytestmark = [pytest.mark.django_db(databases=ALL_DATABASES, transaction=True), pytest.mark.clause("4.3.a")]
TABLE = b"id,title,severity\nP-1,Open door,critical\nP-2,Dust,info\n"
REPORT = b"%PDF-1.7 how to break in"


def planned(officer, **more) -> PenetrationTest:
    said = {"tester": "Pen Ltd", "scope": "All of it.", "planned_on": dates.today(), **more}
    return penetration.plan(actor=actor_of(officer), **said)


def reported(officer, test, **more) -> PenetrationTest:
    said = {"began_on": dates.today() - dt.timedelta(days=4), "ended_on": dates.today(), "report": REPORT, **more}
    return penetration.take_report(actor=actor_of(officer), test_id=test.id, **said)


def test_a_report_is_sealed_and_opening_is_journalled(officer, developer) -> None:
    test = reported(officer, planned(officer))
    assert (len(test.report_sha256), test.report_bytes) == (64, len(REPORT))
    warrant = penetration_warrant(member=officer, report_key=test.report_key, test=test.id)
    assert penetration.read_report(actor=actor_of(officer), test_id=test.id, warrant=warrant)[1] == REPORT
    assert journalled(Act.TEST_REPORT_READ) == 1
    with pytest.raises(PermissionMissing):
        penetration_warrant(member=developer, report_key=test.report_key, test=test.id)
    other = penetration_warrant(member=officer, report_key=test.id, test=test.id)
    with pytest.raises(WarrantRefused):
        penetration.read_report(actor=actor_of(officer), test_id=test.id, warrant=other)


def test_findings_of_a_test_enter_the_register(officer) -> None:
    test = reported(officer, planned(officer), findings=TABLE)
    door = Finding.objects.get(rule="P-1")
    assert (door.method, door.severity, door.due_on) == (
        "penetration",
        "critical",
        dates.today() + dt.timedelta(days=7),
    )
    assert Scan.objects.get().test_id == test.id
    assert penetration.due_on() == dates.today() + dt.timedelta(days=365)


def test_findings_of_a_test_may_be_sarif(officer) -> None:
    reported(officer, planned(officer), findings=b"\xef\xbb\xbf " + sarif(result(), tool="Burp"))
    assert (found().method, found().tool) == ("penetration", "Burp")


def test_broken_findings_leave_no_report_and_no_object(officer) -> None:
    test = planned(officer)
    with pytest.raises(DocumentRefused):
        reported(officer, test, findings=b"id,title\n")
    assert PenetrationTest.objects.get().reported_at is None
    assert not StoredObject.objects.filter(kind="penetration-report").exists()
    assert reported(officer, test, findings=TABLE).reported_at is not None


@pytest.mark.parametrize(
    "more",
    [
        {"tester": " "},
        {"tester": configuration.current().operator.name.upper()},
        {"scope": ""},
        {"planned_on": dt.date(1999, 1, 1)},
        {"planned_on": dt.date(2999, 1, 1)},
    ],
)
def test_a_plan_names_a_third_party_a_scope_and_a_day(officer, more) -> None:
    with pytest.raises(Incomplete):
        planned(officer, **more)


@pytest.mark.parametrize(
    "more",
    [
        lambda: {"report": b""},
        lambda: {"ended_on": dates.today() + dt.timedelta(days=1)},
        lambda: {"began_on": dates.today(), "ended_on": dates.today() - dt.timedelta(days=1)},
    ],
)
def test_a_report_that_makes_no_sense_is_refused(officer, more) -> None:
    with pytest.raises(Incomplete):
        reported(officer, planned(officer), **more())


def test_each_step_is_taken_once(officer) -> None:
    first, second = planned(officer), planned(officer)
    assert penetration.next_plan() in {first, second}
    penetration.cancel(actor=actor_of(officer), test_id=first.id)
    for again in (
        lambda: reported(officer, first),
        lambda: penetration.cancel(actor=actor_of(officer), test_id=first.id),
    ):
        with pytest.raises(StepRefused):
            again()
    reported(officer, second)
    with pytest.raises(StepRefused):
        reported(officer, second)
    assert penetration.next_plan() is None
    with pytest.raises(NotFound):
        penetration.cancel(actor=actor_of(officer), test_id=officer.id)


@pytest.mark.parametrize("said", ["0", "367", "soon", "-1", "9" * 50])
def test_a_test_is_due_within_a_year(settings, said) -> None:
    import dataclasses

    settings.HEADSHOTLY = dataclasses.replace(configuration.current(), options={"penetration.every_days": said})
    with pytest.raises(LimitsRefused):
        penetration.every()
