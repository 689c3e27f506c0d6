"""Cases, the plan and the breach clocks, broken: clauses 5.3.b, 8.1.a-b and 8.3."""

import datetime as dt

import pytest

from headshotly.incidents import breaches, cases, exercises, oncall, scripts_folder
from headshotly.incidents.assessment import Risk
from headshotly.incidents.escalation import Duty
from headshotly.incidents.models import Decision, Ground, Keys, Shift, TimelineEntry
from headshotly.incidents.obligations import Addressee
from headshotly.incidents.phases import Severity
from headshotly.policy import clock
from tests.access.conftest import make_member
from tests.accounts.conftest import make_customer
from tests.incidents.casework import DPO, OFFICER, SENTENCE, breach_of, open_case, sequenced, taken

pytestmark = pytest.mark.django_db(databases="__all__")
MONTH = dt.timedelta(days=30)


@pytest.mark.sabotage("cases_in_time", "nobody takes a case within its clock")
def test_an_unattended_case(watch, db_all, later) -> None:
    case = open_case(Severity.CRITICAL)
    watch.is_content()
    later(minutes=16)
    watch.is_broken(case.reference)


@pytest.mark.sabotage("cases_in_time", "what was written into a case is changed")
def test_a_rewritten_case(watch, db_all) -> None:
    case = taken()
    cases.note(actor=OFFICER, number=case.number, words="The intruder came at nine.")
    sequenced()
    watch.is_content()
    TimelineEntry.objects.filter(kind="note").update(words="Nobody came.")
    watch.is_broken(case.reference)


def practised() -> None:
    member, now = make_member("security-officer"), clock.now()
    for duty in Duty:
        oncall.assign(actor=OFFICER, duty=duty, holder=member.id, begins_at=now, ends_at=now + MONTH)
    script = scripts_folder.script("lost-key")
    held = exercises.begin(actor=OFFICER, script_id=script.id, participants="ada, bob")
    for number in range(len(script.pieces)):
        exercises.answer(actor=OFFICER, exercise_id=held.id, position=number, words=SENTENCE, met=True)
    exercises.end(actor=OFFICER, exercise_id=held.id, findings=SENTENCE)


@pytest.mark.sabotage("incident_plan_practised", "nobody practises the plan for a year")
def test_a_forgotten_exercise(watch, db_all, later) -> None:
    practised()
    watch.is_content()
    later(days=366)
    watch.is_broken("exercise")


@pytest.mark.sabotage("incident_plan_practised", "a role of the plan has nobody")
def test_an_empty_rota(watch, db_all) -> None:
    practised()
    watch.is_content()
    Shift.objects.filter(duty=Duty.OFFICER).delete()
    watch.is_broken("officer")


def a_breach(*, kinds: frozenset[str] = frozenset({"photo"})):
    make_customer()
    breach = breach_of(taken())
    breaches.scope_everybody(actor=DPO, number=breach.case_id, kinds=kinds, because=SENTENCE)
    return breach


@pytest.mark.sabotage("authority_told_in_time", "the authority is not told within 72 hours")
def test_an_untold_authority(watch, db_all, later) -> None:
    breach = a_breach()
    watch.is_content()
    later(hours=74)
    watch.is_broken(breach.case.reference)


@pytest.mark.sabotage("authority_told_in_time", "a decision not to tell loses its approval")
def test_an_unapproved_decision(watch, db_all, later) -> None:
    breach = a_breach()
    row = breaches.judge(actor=DPO, number=breach.case_id, risk=Risk.UNLIKELY, because=SENTENCE)
    breaches.agree(actor=OFFICER, judgement_id=row.id)
    decision = breaches.propose_not_to_tell(
        actor=DPO, number=breach.case_id, addressee=Addressee.AUTHORITY, ground=Ground.UNLIKELY, because=SENTENCE
    )
    breaches.approve(actor=OFFICER, decision_id=decision.id)
    later(hours=74)
    watch.is_content()
    Decision.objects.filter(id=decision.id).update(approved_at=None, approved_by=None)
    watch.is_broken(breach.case.reference)


@pytest.mark.sabotage("people_told_in_time", "people are not told of a high risk to them")
def test_untold_people(watch, db_all, later) -> None:
    breach = a_breach()
    breaches.judge(actor=DPO, number=breach.case_id, risk=Risk.HIGH, because=SENTENCE)
    watch.is_content()
    later(hours=73)
    watch.is_broken(breach.case.reference)


@pytest.mark.sabotage("californians_told_in_time", "residents of California are not told within 30 days")
def test_untold_californians(watch, db_all, later) -> None:
    breach = a_breach(kinds=frozenset({"email", "password"}))
    breaches.state_keys(actor=DPO, number=breach.case_id, keys=Keys.TOUCHED, because=SENTENCE)
    watch.is_content()
    later(days=32)
    watch.is_broken(breach.case.reference)
