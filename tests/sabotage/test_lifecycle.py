"""The secure life cycle, broken: section 4."""

import dataclasses
import datetime as dt
import json

import pytest
from django.db import connection

from headshotly.lifecycle import penetration, releases, services
from headshotly.lifecycle.models import Release
from headshotly.lifecycle.states import Verdict
from headshotly.policy import clock, configuration, dates
from headshotly.proof.findings import Outcome
from headshotly.proof.scene import Scene
from headshotly.proof.source import running_source
from tests.access.conftest import make_member
from tests.lifecycle.conftest import actor_of, cyclonedx, found, result, sarif, take, vulnerability

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.clause("4.1.a", "4.2.a", "4.2.b", "4.3.a", "4.3.b"),
]


@pytest.fixture
def record(watch, tmp_path):
    """Leave a record of the gates where the check looks."""
    path = tmp_path / "gates.json"
    here = dataclasses.replace(configuration.current(), options={"release.gates": str(path)})
    watch.scene = Scene(find_service=watch.scene.find_service, here=here)

    def leave(**changes) -> None:
        said = {
            "commit": running_source(), "changed": False, "at": watch.scene.now.isoformat(),
            "gates": dict.fromkeys(releases.GATES, "PASS"),
        }  # fmt: skip
        path.write_text(json.dumps({**said, **changes}))

    return leave


@pytest.mark.sabotage("gates_ran", "a gate failed and it was released all the same")
def test_a_failed_gate(watch, record) -> None:
    record()
    watch.is_content()
    record(gates={**dict.fromkeys(releases.GATES, "PASS"), "secrets": "FAIL"})
    watch.is_broken("secrets")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"commit": "0" * 40}, "last ran on 000000000000"),
        ({"changed": True}, "is running"),
        (
            {"gates": {**dict.fromkeys(releases.GATES, "PASS"), "dependency audit": "NOT RUN"}},
            "dependency audit did not",
        ),
        ({"gates": dict.fromkeys(releases.GATES - {"rules of our own"}, "PASS")}, "rules of our own did not run"),
        ({"gates": None}, "left no record"),
    ],
)
@pytest.mark.sabotage("gates_ran", "other source runs than the gates saw, or a gate was left out: no proof")
def test_gates_that_did_not_see_it_prove_nothing(watch, record, changes, says) -> None:
    record(**changes)
    found = watch.look()
    assert found.outcome is Outcome.UNKNOWN
    assert says in found.sentence


def scanned(**changes) -> None:
    """Take in one scan of each kind, of what is running."""
    commit = running_source()
    take(sarif(result(), commit=commit))
    take(sarif(commit=commit, tool="headshotly-dast", **changes))
    take(cyclonedx(vulnerability(), commit=commit))


@pytest.mark.sabotage("scans_ran", "the scan of the running service broke down, and nobody looked")
def test_a_scan_that_broke_down(watch) -> None:
    scanned()
    watch.is_content()
    take(sarif(commit=running_source(), tool="headshotly-dast", ok=False))
    watch.is_broken("headshotly-dast did not come to its end")


@pytest.mark.sabotage("scans_ran", "what a scan found is open past its limit")
def test_a_scan_whose_finding_is_late(watch, later) -> None:
    scanned()
    watch.is_content()
    later(days=31)
    watch.is_broken("is past its limit")


@pytest.mark.parametrize("left_out", ["code", "service", "dependencies"])
@pytest.mark.sabotage("scans_ran", "one kind of scan never saw the running commit: no proof")
def test_a_kind_of_scan_that_is_left_out_proves_nothing(watch, left_out) -> None:
    commit = running_source()
    for method, raw in {
        "code": sarif(commit=commit), "service": sarif(commit=commit, tool="wapiti"),
        "dependencies": cyclonedx(commit=commit),
    }.items():  # fmt: skip
        take(raw if method != left_out else sarif(commit="c" * 40, tool="wapiti"))
    said = watch.look()
    assert said.outcome is Outcome.UNKNOWN
    assert left_out in said.sentence


@pytest.mark.sabotage("findings_in_time", "a finding stays open past its limit")
def test_a_finding_nobody_fixes(watch, later) -> None:
    take(sarif(result(level="error")))
    watch.is_content()
    later(days=31)
    watch.is_broken(found().reference)


@pytest.mark.sabotage("findings_in_time", "an acceptance ran out, and no duty was there to end it")
def test_an_acceptance_that_ran_out(watch, later, officer) -> None:
    take(sarif(result(level="error")))
    until = dates.today() + dt.timedelta(days=40)
    asked = services.propose(
        actor=actor_of(officer),
        finding_id=found().id,
        verdict=Verdict.ACCEPT,
        reason="Only the operator reaches it.",
        until=until,
    )
    services.decide(actor=actor_of(make_member("dpo")), proposal_id=asked.id, agreed=True)
    later(days=39)
    watch.is_content()
    later(days=2)
    watch.is_broken(found().reference)


@pytest.fixture
def released(officer) -> Release:
    """The running source, released as it should be."""
    author = make_member("developer")
    gates = {"commit": running_source(), "changed": False, "at": clock.now().isoformat(),
             "gates": dict.fromkeys(releases.GATES, "PASS")}  # fmt: skip
    made = releases.record(actor=actor_of(author), version="1.0", author_id=author.id, gates=json.dumps(gates).encode())
    releases.review(actor=actor_of(officer), release_id=made.id, words="Read the whole difference; it is sound.")
    releases.release(actor=actor_of(author), release_id=made.id)
    return Release.objects.get(id=made.id)


@pytest.mark.sabotage("releases_reviewed", "the author reviewed their own release, past every lock")
def test_a_release_nobody_else_looked_at(watch, released) -> None:
    watch.is_content()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits for the end would hold the table
            cursor.execute("ALTER TABLE lifecycle_release DROP CONSTRAINT lifecycle_reviewed_by_somebody_else")
    Release.objects.update(reviewer=released.author)
    watch.is_broken(released.commit[:12])
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA ignore_check_constraints = OFF")


@pytest.mark.sabotage("releases_reviewed", "production runs what was never released")
def test_production_runs_something_else(watch, released) -> None:
    watch.is_content()
    Release.objects.update(commit="d" * 40)
    assert watch.look().outcome is Outcome.UNKNOWN
    here = dataclasses.replace(configuration.current(), environment="production")
    watch.scene = Scene(find_service=watch.scene.find_service, here=here)
    watch.is_broken("is no release")


@pytest.mark.sabotage("tested_from_outside", "the yearly penetration test was let slip")
def test_a_test_that_was_let_slip(watch, officer, later) -> None:
    planned = penetration.plan(actor=actor_of(officer), tester="Pen Ltd", scope="Everything.", planned_on=dates.today())
    penetration.take_report(
        actor=actor_of(officer), test_id=planned.id, began_on=dates.today(), ended_on=dates.today(), report=b"%PDF"
    )
    watch.is_content()
    later(days=366)
    watch.is_broken("the next was due by")


@pytest.mark.sabotage("tested_from_outside", "the first test was planned and never held")
def test_a_first_test_that_never_happened(watch, officer, later) -> None:
    assert watch.look().outcome is Outcome.UNKNOWN
    penetration.plan(actor=actor_of(officer), tester="Pen Ltd", scope="Everything.", planned_on=dates.today())
    later(days=31)
    watch.is_broken("has no report")
