"""Trainings and releases: nobody writes their own record, reviews their own work, or lets out what no gate passed."""

import datetime as dt
import json

import pytest
from django.db import IntegrityError, transaction

from headshotly.access import grants, personnel
from headshotly.access.errors import GrantRefused, RecordRefused
from headshotly.audit.acts import Act
from headshotly.lifecycle import releases, training
from headshotly.lifecycle.errors import DocumentRefused, Incomplete, StepRefused
from headshotly.lifecycle.models import Release, TrainingRecord
from headshotly.policy import clock, dates
from tests.access.conftest import at_desk, make_member
from tests.conftest import ALL_DATABASES
from tests.lifecycle.conftest import NEW, OLD, actor_of
from tests.lifecycle.test_register import journalled

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)
WORDS = "Read the whole difference and ran it."


def gates(**changes) -> bytes:
    said = {
        "commit": OLD,
        "changed": False,
        "at": clock.now().isoformat(),
        "gates": dict.fromkeys(releases.GATES, "PASS"),
    }
    return json.dumps({**said, **changes}).encode()


def entered(developer, **changes) -> Release:
    return releases.record(actor=actor_of(developer), version="1.2", author_id=developer.id, gates=gates(**changes))


def course(officer, member, **more) -> TrainingRecord:
    today = dates.today()
    said = {
        "course": "Secure coding",
        "provider": "School",
        "passed_on": today,
        "expires_on": today + dt.timedelta(days=365),
        **more,
    }
    return training.record(actor=actor_of(officer), member=member, **said)


@pytest.mark.clause("4.1.b")
def test_a_course_counts_at_the_gate_until_it_expires(officer, later) -> None:
    newcomer = make_member("developer", fit=False)
    assert "no secure-coding training is recorded" in personnel.gaps(newcomer)
    course(officer, newcomer)
    assert not any("training" in gap for gap in personnel.gaps(newcomer))
    assert training.standings()[-1].current
    later(days=365)
    assert "the secure-coding training has expired" in personnel.gaps(newcomer)
    assert not any(one.current for one in training.standings())
    with pytest.raises(GrantRefused):
        grants.ask(
            member=newcomer, scope="act:deploy", purpose="fault-analysis", ticket="SUP-1", minutes=30, subject=None
        )


@pytest.mark.clause("4.1.b")
def test_the_course_that_lasts_longest_counts_whichever_was_entered_last(officer) -> None:
    newcomer, today = make_member("developer", fit=False), dates.today()
    latest = course(officer, newcomer)
    course(officer, newcomer, passed_on=today - dt.timedelta(days=340), expires_on=today + dt.timedelta(days=25))
    held = personnel.record_of(newcomer)
    assert (held.training_passed_on, held.training_expires_on) == (latest.passed_on, latest.expires_on)


@pytest.mark.clause("4.1.b")
def test_the_page_of_people_shows_what_the_courses_say_and_writes_nothing_beside_them(officer) -> None:
    newcomer, desk, today = make_member("developer", fit=False), at_desk(officer), dates.today()
    course(officer, newcomer)
    page = desk.get("/staff/people/").content.decode()
    assert f"until {today + dt.timedelta(days=365)}" in page
    assert "/staff/findings/trainings/" in page
    days = {"passed_on": str(today), "expires_on": str(today + dt.timedelta(days=300))}
    assert desk.post(f"/staff/people/{newcomer.id}/", {"what": "training", **days}).status_code == 403
    assert personnel.record_of(newcomer).training_expires_on == today + dt.timedelta(days=365)


@pytest.mark.clause("4.1.b")
def test_nobody_writes_their_own_record_and_a_refusal_leaves_none(officer, developer) -> None:
    with pytest.raises(RecordRefused):
        course(officer, officer)
    for more in ({"course": " "}, {"provider": ""}, {"certificate_sha256": "abc"}):
        with pytest.raises(Incomplete):
            course(officer, developer, **more)
    with pytest.raises(RecordRefused):
        course(officer, developer, expires_on=dates.today())
    assert not TrainingRecord.objects.exists()


@pytest.mark.clause("4.2.a")
def test_a_release_goes_out_reviewed_by_somebody_else_and_past_every_gate(officer, developer) -> None:
    made = entered(developer)
    with pytest.raises(StepRefused) as refused:
        releases.release(actor=actor_of(developer), release_id=made.id)
    assert "Nobody has reviewed" in refused.value.sentence
    with pytest.raises(StepRefused):
        releases.review(actor=actor_of(developer), release_id=made.id, words=WORDS)
    with pytest.raises(Incomplete):
        releases.review(actor=actor_of(officer), release_id=made.id, words="ok")
    releases.review(actor=actor_of(officer), release_id=made.id, words=WORDS)
    with pytest.raises(StepRefused):
        releases.review(actor=actor_of(officer), release_id=made.id, words=WORDS)
    releases.release(actor=actor_of(developer), release_id=made.id)
    with pytest.raises(StepRefused):
        releases.release(actor=actor_of(developer), release_id=made.id)
    assert [journalled(act) for act in (Act.RELEASE_RECORDED, Act.RELEASE_REVIEWED, Act.RELEASE_MADE)] == [1, 1, 1]


@pytest.mark.clause("4.2.a")
def test_the_database_itself_refuses_what_the_verbs_must_never_do(officer, developer) -> None:
    made = entered(developer)
    for columns in ({"reviewer": developer}, {"released_at": clock.now()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Release.objects.filter(id=made.id).update(**columns)


@pytest.mark.clause("4.1.a")
@pytest.mark.parametrize("said", ["FAIL", "NOT RUN", None])
def test_a_gate_that_did_not_pass_holds_a_release_back(officer, developer, said) -> None:
    ran = {name: "PASS" for name in releases.GATES if name != "secrets"} | ({"secrets": said} if said else {})
    made = entered(developer, gates=ran)
    releases.review(actor=actor_of(officer), release_id=made.id, words=WORDS)
    with pytest.raises(StepRefused) as refused:
        releases.release(actor=actor_of(developer), release_id=made.id)
    assert "secrets" in refused.value.sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"commit": "HEAD"},
        {"changed": True},
        {"changed": None},
        {"gates": {}},
        {"gates": {"types": "GREEN"}},
        {"at": "yesterday"},
        {"at": "2999-01-01T00:00:00Z"},
        {"gates": {str(number): "PASS" for number in range(101)}},
    ],
)
def test_a_record_of_gates_that_is_none_is_refused(developer, changes) -> None:
    with pytest.raises(DocumentRefused):
        entered(developer, **changes)


def test_a_commit_is_entered_once(developer) -> None:
    entered(developer)
    with pytest.raises(StepRefused):
        entered(developer)
    entered(developer, commit=NEW)


def test_the_command_enters_and_lists(developer, tmp_path) -> None:
    from click.testing import CliRunner

    from headshotly.frontdoor.commandline import program

    record = tmp_path / "gates.json"
    record.write_bytes(gates(gates={"types": "PASS"}))
    arguments = ["release", "record", "--version", "1.2", "--gates", str(record), "--author"]
    refused = CliRunner().invoke(program, [*arguments, "nobody"])
    assert refused.exit_code != 0
    said = CliRunner().invoke(program, [*arguments, developer.handle])
    assert "It cannot go out" in said.output
    assert "not reviewed, not released" in CliRunner().invoke(program, ["release", "list"]).output
    assert Release.objects.get().author_id == developer.id
