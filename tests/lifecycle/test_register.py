"""Taking scans in: once each, nothing half, nothing closed by silence, everything opened again that comes back."""

import datetime as dt

import pytest

from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.audit.models import PendingEntry
from headshotly.lifecycle import importing, limits, selectors, services
from headshotly.lifecycle.errors import DocumentRefused, LimitsRefused
from headshotly.lifecycle.models import Finding, Scan, Step
from headshotly.lifecycle.severity import Severity
from headshotly.lifecycle.states import Method, State, StepKind
from headshotly.policy import clock, configuration, dates
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

pytestmark = [pytest.mark.django_db(databases=ALL_DATABASES), pytest.mark.clause("4.2.b", "4.3.b")]


def journalled(act: Act) -> int:
    return sum(act.value.encode() in bytes(row.leaf) for row in PendingEntry.objects.all())


def ago(**by) -> dt.datetime:
    return clock.now() - dt.timedelta(**by)


def test_a_scan_enters_what_it_saw_with_its_limit() -> None:
    scan = take(sarif(result(level="error"), result("py.dust", level="none")))
    assert (scan.seen, scan.fresh, scan.method, scan.commit) == (2, 2, Method.CODE, OLD)
    hole, dust = Finding.objects.get(rule="py.hole"), Finding.objects.get(rule="py.dust")
    assert hole.due_on == dates.today() + dt.timedelta(days=30)
    assert dust.due_on is None
    assert [step.kind for step in selectors.history(hole)] == [StepKind.SEEN]
    assert journalled(Act.SCAN_IMPORTED) == 1


def test_a_file_is_taken_in_once() -> None:
    raw = sarif(result())
    assert take(raw).id == take(raw).id
    assert (Scan.objects.count(), Finding.objects.count(), Step.objects.count()) == (1, 1, 1)


def test_a_second_scan_knows_the_finding_and_moves_its_last_sight() -> None:
    take(sarif(result(), at=ago(days=2)))
    second = take(sarif(result(line=70), commit=NEW))
    assert (second.fresh, second.seen) == (0, 1)
    assert (found().last_commit, found().last_seen_at) == (NEW, second.ran_at)
    assert found().place.endswith(":70")


def test_an_old_document_brought_late_changes_nothing() -> None:
    take(sarif(result(line=1)))
    before = found().last_seen_at
    take(sarif(result(line=99), at=ago(days=9), commit=NEW))
    take(sarif(at=ago(days=8)))
    assert (found().last_seen_at, found().last_commit, found().missed_at) == (before, OLD, None)


def test_a_scan_that_no_longer_sees_it_says_so_and_closes_nothing() -> None:
    take(sarif(result(), at=ago(days=2)))
    scan = take(sarif(commit=NEW))
    assert (scan.missed, found().state, found().missed_at) == (1, State.OPEN, scan.ran_at)
    assert "stays open until retested" in selectors.last_missed(found()).words
    take(sarif(result(), commit=NEW))
    assert found().missed_at is None


@pytest.mark.parametrize("other", [{"tool": "Bandit"}, {"scope": "painter"}, {"ok": False}])
def test_a_failed_scan_misses_nothing(other) -> None:
    """Neither does one by another tool, or of something else."""
    take(sarif(result(), at=ago(days=2)))
    assert take(sarif(commit=NEW, **other)).missed == 0
    assert found().missed_at is None


def test_a_worse_grade_is_followed_and_a_milder_one_is_not() -> None:
    take(cyclonedx(vulnerability(ratings=[{"severity": "medium"}]), at=ago(days=3)))
    take(cyclonedx(vulnerability(ratings=[{"severity": "critical"}]), at=ago(days=2)))
    assert (found().severity, found().due_on) == (Severity.CRITICAL, dates.today() + dt.timedelta(days=7))
    take(cyclonedx(vulnerability(ratings=[{"severity": "low"}]), at=ago(days=1)))
    assert found().severity == Severity.CRITICAL


def test_what_was_fixed_and_comes_back_is_open_again_with_a_new_clock(officer, later) -> None:
    take(sarif(result(level="error"), at=ago(days=2)))
    services.close_as_fixed(
        actor=actor_of(officer), finding_id=found().id, test=TEST, failed=junit("failed", at=ago(days=1)),
        failed_commit=OLD, passed=junit(at=ago(hours=1)), passed_commit=NEW,
    )  # fmt: skip
    take(sarif(result(level="error"), at=ago(minutes=30)))  # ran before it was closed, on the code that failed
    assert found().state == State.FIXED
    later(days=40)
    scan = take(sarif(result(level="error"), commit=NEW))
    assert (scan.reopened, found().state, found().closed_at) == (1, State.OPEN, None)
    assert found().due_on == dates.today() + dt.timedelta(days=30)
    assert journalled(Act.FINDING_REOPENED) == 1


def test_a_scan_that_saw_it_after_the_test_passed_opens_it_again_however_late_it_is_taken_in(officer) -> None:
    take(sarif(result(), at=ago(days=2)))
    services.close_as_fixed(
        actor=actor_of(officer), finding_id=found().id, test=TEST, failed=junit("failed", at=ago(days=1)),
        failed_commit=OLD, passed=junit(at=ago(hours=1)), passed_commit=NEW,
    )  # fmt: skip
    assert take(sarif(result(), at=ago(minutes=30), commit=NEW)).reopened == 1
    assert found().state == State.OPEN


def test_a_vex_is_noted_once_and_closes_nothing() -> None:
    said = vulnerability(analysis={"state": "false_positive"})
    take(cyclonedx(said, at=ago(days=1)))
    take(cyclonedx(said))
    assert found().state == State.OPEN
    assert Step.objects.filter(kind=StepKind.NOTED).count() == 1


@pytest.mark.parametrize(
    ("raw", "more", "says"),
    [
        (lambda: sarif(at=clock.now() + dt.timedelta(hours=1)), {}, "future"),
        (lambda: sarif(commit=OLD), {"commit": NEW}, "is about aaaaaaaaaaaa"),
        (lambda: sarif(commit=""), {"commit": "HEAD"}, "full hash"),
    ],
)
def test_a_document_that_contradicts_is_refused(raw, more, says) -> None:
    with pytest.raises(DocumentRefused) as refused:
        take(raw(), **more)
    assert says in refused.value.sentence
    assert not Scan.objects.exists()


def test_a_crash_on_the_way_leaves_nothing_and_the_file_can_be_taken_in_again(monkeypatch) -> None:
    raw, real = sarif(result(), result("py.other")), importing._miss
    monkeypatch.setattr(importing, "_miss", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        take(raw)
    assert [model.objects.count() for model in (Scan, Finding, PendingEntry)] == [0, 0, 0]
    monkeypatch.setattr(importing, "_miss", real)
    assert take(raw).fresh == 2


def test_limits_are_the_operators_and_must_make_sense(settings) -> None:
    import dataclasses

    def under(**options):
        settings.HEADSHOTLY = dataclasses.replace(
            configuration.current(), options={f"findings.days.{key}": value for key, value in options.items()}
        )

    under(critical="2", high="10")
    assert limits.days()[Severity.CRITICAL] == 2
    take(sarif(result(level="error")))
    assert found().due_on == dates.today() + dt.timedelta(days=10)
    for bad in ({"high": "0"}, {"high": "ten"}, {"high": "9999999"}, {"critical": "40"}, {"low": "-1"}, {"high": "٣"}):
        under(**bad)
        with pytest.raises(LimitsRefused):
            limits.days()


def test_lists_are_filtered(officer) -> None:
    take(sarif(result(level="error"), result("py.dust", level="note")))
    services.assign(actor=actor_of(officer), finding_id=Finding.objects.get(rule="py.hole").id, owner_id=officer.id)

    def rules(**wanted):
        return [one.rule for one in selectors.findings(selectors.Wanted(**wanted))]

    assert rules() == ["py.hole", "py.dust"]
    assert rules(severity="low") == rules(owner="nobody") == ["py.dust"]
    assert rules(owner=str(officer.id)) == ["py.hole"]
    assert rules(method="service") == rules(state="overdue") == []
    assert selectors.counts() == {"open": 2, "fixed": 0, "accepted": 0, "false-positive": 0, "overdue": 0}


def test_the_commands_take_in_list_and_show(tmp_path) -> None:
    from click.testing import CliRunner

    from headshotly.frontdoor.commandline import program

    good, bad = tmp_path / "good.sarif", tmp_path / "bad.sarif"
    good.write_bytes(sarif(result(level="error")))
    bad.write_bytes(b"{}")
    said = CliRunner().invoke(program, ["findings", "import", str(good), str(bad)])
    assert said.exit_code == 1
    assert "1 seen, 1 new" in said.output
    assert "neither SARIF" in said.output
    listed = CliRunner().invoke(program, ["findings", "list"])
    assert found().reference in listed.output
    assert "1 open, 0 past their limit" in listed.output
    shown = CliRunner().invoke(program, ["findings", "show", found().reference.lower()])
    assert "First seen: by Semgrep OSS, as high" in shown.output
    refused = CliRunner().invoke(program, ["findings", "import", str(good), "--method", "penetration"])
    assert refused.exit_code != 0


def test_a_method_may_be_said_where_the_tool_is_not_known() -> None:
    assert importing.take_in(actor=SYSTEM, raw=sarif(tool="newcomer"), method=Method.SERVICE)[0].method == "service"
    assert take(sarif(tool="newcomer", commit=NEW)).method == "other"
