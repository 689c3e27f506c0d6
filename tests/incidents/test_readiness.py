"""Exercises with a record, the plan as it is written down, and what calls look like outside."""

import datetime as dt
import os
from pathlib import Path
from uuid import uuid4

import pytest

from headshotly.audit.acts import Act
from headshotly.incidents import (
    breach_selectors,
    calls,
    case_selectors,
    escalation,
    exercises,
    messages,
    plan,
    scripts_folder,
)
from headshotly.incidents.errors import Incomplete, NotFound, NotNow
from headshotly.incidents.models import Case, Exercise
from headshotly.incidents.phases import Origin, Phase, Severity
from tests.access.conftest import at_desk, make_member
from tests.accounts.conftest import mail_text, mails
from tests.incidents.casework import OFFICER, SENTENCE, acts

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("8.1.a-b")]
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "incidents.md"


def hold(script: str = "lost-key", *, met=True) -> Exercise:
    exercise = exercises.begin(actor=OFFICER, script_id=script, participants="ada, bob")
    for number in range(len(scripts_folder.script(script).pieces)):
        exercises.answer(actor=OFFICER, exercise_id=exercise.id, position=number, words=SENTENCE, met=met)
    return exercises.end(actor=OFFICER, exercise_id=exercise.id, findings="We must keep the telephone list current.")


def test_an_exercise_from_script_to_record(later) -> None:
    assert exercises.is_due()
    done = hold()
    assert done.passed
    assert not exercises.is_due()
    assert exercises.due_at() == done.ended_at + dt.timedelta(days=365)
    assert next(piece.phase for piece, _ in exercises.played(done)) is Phase.DETECTION
    case = Case.objects.get()
    assert (case.origin, case.phase) == (Origin.EXERCISE, Phase.CLOSED)
    assert {Act.EXERCISE_BEGUN, Act.EXERCISE_ENDED} <= set(acts())
    later(days=366)
    assert exercises.is_due()


def test_one_that_went_badly_does_not_count() -> None:
    assert hold(met=False).passed is False
    assert exercises.is_due()


def test_what_an_exercise_refuses() -> None:
    for people in ("", "ada"):
        with pytest.raises((Incomplete, NotNow)):
            exercises.begin(actor=OFFICER, script_id="lost-key", participants=people)
    with pytest.raises(NotFound):
        exercises.begin(actor=OFFICER, script_id="no-such", participants="ada, bob")
    running = exercises.begin(actor=OFFICER, script_id="lost-key", participants="ada, bob")
    with pytest.raises(NotNow, match="already"):
        exercises.begin(actor=OFFICER, script_id="lost-key", participants="ada, bob")
    with pytest.raises(NotNow, match="every piece"):
        exercises.end(actor=OFFICER, exercise_id=running.id, findings=SENTENCE)
    for position in (1, 7):
        with pytest.raises(NotNow, match="turn"):
            exercises.answer(actor=OFFICER, exercise_id=running.id, position=position, words=SENTENCE, met=True)
    with pytest.raises(Incomplete):
        exercises.answer(actor=OFFICER, exercise_id=running.id, position=0, words="ok", met=True)
    with pytest.raises(NotFound):
        exercises.get(uuid4())


def test_an_exercise_calls_as_one_and_is_late_for_nobody(later) -> None:
    exercises.begin(actor=OFFICER, script_id="lost-key", participants="ada, bob")
    calls.send_due()
    assert "EXERCISE: " in mail_text(mails()[-1])
    later(days=60)
    assert case_selectors.late() == []
    assert breach_selectors.lines() == []


def test_every_script_can_be_read_and_practises_what_it_says(tmp_path) -> None:
    found = scripts_folder.scripts()
    assert len(found) >= 3
    practised = {piece.phase for script in found.values() for piece in script.pieces}
    assert practised >= set(Phase) - {Phase.CLOSED}
    for script in found.values():
        assert script.pieces[-1].after <= script.minutes
    broken = tmp_path / "x.toml"
    broken.write_text(
        'title="x"\nsummary="x"\nseverity="high"\nminutes=1\n'
        '[[piece]]\nafter=9\nphase="detection"\ntells="x"\nasks="x"\ngood="x"\n'
        '[[piece]]\nafter=1\nphase="lessons"\ntells="x"\nasks="x"\ngood="x"\n'
    )
    with pytest.raises(ValueError, match="order"):
        scripts_folder.read(broken)


def test_the_plan_is_written_down_as_the_software_does_it() -> None:
    """Regenerate with ``HEADSHOTLY_WRITE_TABLES=1`` and read the diff."""
    made = plan.as_markdown()
    if os.environ.get("HEADSHOTLY_WRITE_TABLES"):
        DOCUMENT.write_text(made, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == made
    for words in ("detection", "containment", "eradication", "recovery", "communication"):
        assert words in made.lower()


def test_exercises_and_plan_on_their_pages() -> None:
    desk = at_desk(make_member("security-officer"))
    assert "none has been passed yet" in desk.get("/staff/incidents/exercises/").content.decode()
    begun = desk.post("/staff/incidents/exercises/begin/", {"script": "dead-region", "participants": "ada, bob"})
    assert begun.status_code == 302
    script = scripts_folder.script("dead-region")
    for number, piece in enumerate(script.pieces):
        page = desk.get(begun.url).content.decode()
        assert piece.asks.replace("'", "&#x27;") in page
        fields = {"position": str(number), "words": SENTENCE, "met": "yes"}
        assert desk.post(f"{begun.url}step/", fields).status_code == 302
    assert desk.post(f"{begun.url}step/", {"what": "end", "findings": "short"}).status_code == 422
    assert desk.post(f"{begun.url}step/", {"what": "end", "findings": SENTENCE}).status_code == 302
    assert "passed" in desk.get(begun.url).content.decode()
    assert "The next one is due on" in desk.get("/staff/incidents/exercises/").content.decode()
    page = desk.get("/staff/incidents/plan/").content.decode()
    for role in plan.plan().roles:
        assert role.title in page


def summons(**changes) -> messages.Summons:
    known = {
        "reference": "INC-7", "severity": Severity.CRITICAL, "title": "<b>& co", "url": "https://localhost/x", "step": 2,
        "on_call": "ada", "exercise": False,
    }  # fmt: skip
    return messages.Summons(**(known | changes))


def test_the_forms_chats_and_pagers_want() -> None:
    slack = messages.slack(summons())
    assert "&lt;b&gt;&amp; co" in slack["text"]
    assert "<b>" not in slack["text"]
    teams = messages.teams(summons())
    (card,) = teams["attachments"]
    assert (teams["type"], card["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert card["content"]["actions"][0]["url"] == "https://localhost/x"
    event = messages.pager(summons(exercise=True), routing_key="key", once=uuid4())
    assert (event["event_action"], event["payload"]["severity"]) == ("trigger", "critical")
    assert event["payload"]["summary"].startswith("EXERCISE: ")
    assert event["dedup_key"] == messages.pager(summons(), routing_key="key", once=uuid4())["dedup_key"]
    assert "Nobody is on call" in summons(on_call="").text
    assert set(messages.FORMS) == {"slack", "teams"}


def test_every_severity_has_a_ladder_that_begins_at_once() -> None:
    for severity in Severity:
        assert escalation.LADDERS[severity][0].after == dt.timedelta(0)
