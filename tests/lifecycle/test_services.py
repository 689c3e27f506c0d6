"""What people may do with a finding, and what only two of them together may."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from headshotly.access.errors import NotFound as NoMember
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.lifecycle import alerting, importing, selectors, services
from headshotly.lifecycle.errors import Incomplete, NotFound, RetestRefused, StepRefused, VectorRefused
from headshotly.lifecycle.models import Proposal, Retest
from headshotly.lifecycle.states import State, StepKind, Verdict
from headshotly.policy import clock, dates
from headshotly.vendors import mail
from tests.access.conftest import make_member
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
from tests.lifecycle.test_register import ago, journalled

pytestmark = [pytest.mark.django_db(databases=ALL_DATABASES), pytest.mark.clause("4.3.b")]
WHY = "Only reachable from the terminal of the operator."
MILD = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"


@pytest.fixture
def hole(db_all):
    take(sarif(result(level="error"), at=ago(days=3)))
    return found()


def runs(**changes) -> dict:
    said = {
        "test": TEST, "failed": junit("failed", at=ago(days=1)), "failed_commit": OLD,
        "passed": junit(at=ago(hours=1)), "passed_commit": NEW,
    }  # fmt: skip
    return {**said, **changes}


def test_fixed_only_by_a_test_that_failed_before(hole, officer) -> None:
    made = services.close_as_fixed(actor=actor_of(officer), finding_id=hole.id, **runs())
    assert (made.failed_commit, made.passed_commit, made.failed_words) == (OLD, NEW, "still open")
    assert len(made.failed_sha256) == len(made.passed_sha256) == 64
    assert found().state == State.FIXED
    assert selectors.history(hole)[-1].kind == StepKind.FIXED
    assert journalled(Act.FINDING_FIXED) == 1
    with pytest.raises(StepRefused):
        services.close_as_fixed(actor=actor_of(officer), finding_id=hole.id, **runs())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (lambda: {"failed": junit("passed", at=ago(days=1))}, "did not fail: it passed"),
        (lambda: {"failed": junit("error", at=ago(days=1))}, "broke down"),
        (lambda: {"passed": junit("failed")}, "did not pass: it failed"),
        (lambda: {"passed": junit("skipped")}, "was skipped"),
        (lambda: {"passed_commit": OLD}, "the same commit"),
        (lambda: {"passed_commit": ""}, "name the commit"),
        (lambda: {"failed": junit("failed", at=ago(minutes=1))}, "wrong way round"),
        (lambda: {"passed": junit(at=clock.now() + dt.timedelta(days=1))}, "future"),
        (lambda: {"failed": junit("failed", at=ago(days=9)), "passed": junit(at=ago(days=8))}, "saw it after"),
        (lambda: {"passed": junit(at=ago(hours=1), commit=OLD)}, "ran on aaaaaaaaaaaa"),
        (lambda: {"test": "tests/vault/test_hole.py::test_other"}, "0 times"),
    ],
)
def test_runs_that_show_nothing_close_nothing(hole, officer, changes, says) -> None:
    with pytest.raises(RetestRefused) as refused:
        services.close_as_fixed(actor=actor_of(officer), finding_id=hole.id, **runs(**changes()))
    assert says in refused.value.sentence
    assert found().state == State.OPEN
    assert not Retest.objects.exists()


def test_the_database_itself_keeps_a_retest_in_order(hole, officer) -> None:
    made = services.close_as_fixed(actor=actor_of(officer), finding_id=hole.id, **runs())
    with pytest.raises(IntegrityError), transaction.atomic():
        Retest.objects.filter(id=made.id).update(failed_at=made.passed_at)


def test_a_component_is_retested_by_its_scanner_on_a_later_commit(officer) -> None:
    who = actor_of(officer)
    take(cyclonedx(vulnerability(), at=ago(days=3)))
    with pytest.raises(RetestRefused):
        services.close_by_scans(actor=who, finding_id=found().id)
    take(cyclonedx(commit=OLD, at=ago(days=2)))  # the same commit: an advisory may have been withdrawn
    with pytest.raises(RetestRefused):
        services.close_by_scans(actor=who, finding_id=found().id)
    take(cyclonedx(commit=NEW, at=ago(days=1)))
    made = services.close_by_scans(actor=who, finding_id=found().id)
    assert (found().state, made.failed_commit, made.passed_commit) == (State.FIXED, OLD, NEW)


def test_code_is_never_closed_by_a_scanners_silence(hole, officer) -> None:
    take(sarif(commit=NEW))
    with pytest.raises(StepRefused):
        services.close_by_scans(actor=actor_of(officer), finding_id=hole.id)


def test_an_exception_takes_somebody_else(hole, officer, dpo) -> None:
    until = dates.today() + dt.timedelta(days=60)
    asked = services.propose(
        actor=actor_of(officer), finding_id=hole.id, verdict=Verdict.ACCEPT, reason=WHY, until=until
    )
    assert found().state == State.OPEN
    with pytest.raises(StepRefused):
        services.decide(actor=actor_of(officer), proposal_id=asked.id, agreed=True)
    with pytest.raises(StepRefused):
        services.propose(actor=actor_of(dpo), finding_id=hole.id, verdict=Verdict.DISMISS, reason=WHY)
    services.decide(actor=actor_of(dpo), proposal_id=asked.id, agreed=True)
    assert (found().state, found().accepted_until) == (State.ACCEPTED, until)
    with pytest.raises(StepRefused):
        services.decide(actor=actor_of(dpo), proposal_id=asked.id, agreed=False)
    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.filter(id=asked.id).update(decided_by=officer.id)
    assert journalled(Act.FINDING_ACCEPTED) == 1


@pytest.mark.parametrize("days", [None, 0, -1, 367])
def test_an_acceptance_ends_within_a_year(hole, officer, days) -> None:
    until = None if days is None else dates.today() + dt.timedelta(days=days)
    with pytest.raises(Incomplete):
        services.propose(actor=actor_of(officer), finding_id=hole.id, verdict=Verdict.ACCEPT, reason=WHY, until=until)


def test_a_reason_can_be_judged_and_only_staff_gives_one(hole, officer) -> None:
    with pytest.raises(Incomplete):
        services.propose(actor=actor_of(officer), finding_id=hole.id, verdict=Verdict.DISMISS, reason="no.")
    with pytest.raises(StepRefused):
        services.propose(actor=SYSTEM, finding_id=hole.id, verdict=Verdict.DISMISS, reason=WHY)


def test_an_acceptance_that_ran_out_is_open_and_late_at_once(hole, officer, dpo, later) -> None:
    until = dates.today() + dt.timedelta(days=60)
    asked = services.propose(
        actor=actor_of(officer), finding_id=hole.id, verdict=Verdict.ACCEPT, reason=WHY, until=until
    )
    services.decide(actor=actor_of(dpo), proposal_id=asked.id, agreed=True)
    later(days=50)
    assert selectors.overdue() == []
    later(days=11)
    assert selectors.overdue_count() == 1  # before any duty ran
    assert services.end_acceptances() == 1
    assert (found().state, selectors.overdue_count()) == (State.OPEN, 1)
    assert services.end_acceptances() == 0


def test_a_false_positive_stays_away_and_a_refused_proposal_changes_nothing(hole, officer, dpo) -> None:
    first = services.propose(actor=actor_of(officer), finding_id=hole.id, verdict=Verdict.DISMISS, reason=WHY)
    services.decide(actor=actor_of(dpo), proposal_id=first.id, agreed=False)
    assert found().state == State.OPEN
    second = services.propose(actor=actor_of(officer), finding_id=hole.id, verdict=Verdict.DISMISS, reason=WHY)
    services.decide(actor=actor_of(dpo), proposal_id=second.id, agreed=True)
    take(sarif(result(level="error"), commit=NEW))
    assert (found().state, found().last_commit) == (State.FALSE_POSITIVE, NEW)


def test_whoever_must_fix_it_does_not_set_the_limit(hole, officer, developer) -> None:
    services.assign(actor=actor_of(officer), finding_id=hole.id, owner_id=developer.id)
    with pytest.raises(StepRefused):
        services.rate(actor=actor_of(developer), finding_id=hole.id, vector=MILD, reason=WHY)
    services.rate(actor=actor_of(officer), finding_id=hole.id, vector=MILD, reason=WHY)
    assert (found().severity, str(found().score)) == ("low", "1.8")
    assert found().due_on == dates.day_of(hole.clock_from) + dt.timedelta(days=180)
    with pytest.raises(VectorRefused):
        services.rate(actor=actor_of(officer), finding_id=hole.id, vector="low", reason=WHY)


def test_an_owner_is_an_active_member(hole, officer) -> None:
    with pytest.raises(NoMember):
        services.assign(actor=actor_of(officer), finding_id=hole.id, owner_id=hole.id)
    with pytest.raises(NotFound):
        services.assign(actor=actor_of(officer), finding_id=officer.id, owner_id=officer.id)


def test_what_is_late_is_journalled_once_a_week_and_written_about(hole, later, monkeypatch) -> None:
    sent = []
    monkeypatch.setattr(mail, "send", lambda **letter: sent.append(letter["text"]))
    later(days=30)
    assert alerting.alert() == 0
    later(days=1)
    assert alerting.alert() == 1
    assert alerting.alert() == 0
    assert journalled(Act.FINDING_OVERDUE) == 1
    assert len(sent) == 1
    assert hole.reference in sent[0]
    later(days=7)
    assert alerting.alert() == 1
    assert len(sent) == 2
    assert [step.kind for step in selectors.history(hole)].count(StepKind.OVERDUE) == 1


@pytest.mark.parametrize("went", [False, True])
def test_a_letter_that_failed_is_written_again_and_the_alert_stands(hole, later, monkeypatch, went) -> None:
    sent = []

    def fail(**letter):
        sent.extend([letter] if went else [])
        raise mail.MailNotSent("no")

    monkeypatch.setattr(mail, "send", fail)
    later(days=31)
    with pytest.raises(mail.MailNotSent):
        alerting.alert()
    assert journalled(Act.FINDING_OVERDUE) == 1
    monkeypatch.setattr(mail, "send", lambda **letter: sent.append(letter))
    assert alerting.alert() == 0
    assert len(sent) == 1 + went


def test_the_rule_raises_an_alert_from_the_entry(hole, later, monkeypatch) -> None:
    from headshotly.audit.sequencing import sequence_once
    from headshotly.incidents.detecting import Detector
    from headshotly.incidents.models import Alert
    from headshotly.incidents.reading import JournalReader
    from headshotly.incidents.rulebook import OWN, load
    from headshotly.incidents.stream import Stream

    monkeypatch.setattr(mail, "send", lambda **_: None)
    later(days=31)
    alerting.alert()
    while sequence_once():
        pass
    stream = Stream([JournalReader()], Detector(load([OWN])))
    while stream.step():
        pass
    assert Alert.objects.filter(title="A security finding is past its limit").count() == 1


def test_the_trust_page_shows_how_many_are_late(hole, later) -> None:
    from django.core.cache import cache

    from headshotly.proof import trust

    assert trust.overview().late_findings == 0
    later(days=31)
    cache.clear()
    assert trust.as_document(trust.overview())["findings_past_limit"] == 1


def _outside(until: str = "", status: str = "accepted", reason: str = "Python cannot leave it out.") -> dict:
    made = {"kind": "external", "status": status, "justification": reason}
    return made | ({"properties": {"until": until}} if until else {})


def test_what_a_document_accepts_is_proposed_with_its_end_and_stays_open_until_somebody_agrees(db_all):
    today = dates.today()
    end = today + dt.timedelta(days=40)
    document = sarif(result(suppressions=[_outside(end.isoformat())]))
    importing.take_in(actor=SYSTEM, raw=document)
    finding = found()
    proposal = Proposal.objects.get()
    assert finding.state == State.OPEN
    assert (proposal.reason, proposal.until, proposal.decided_at) == ("Python cannot leave it out.", end, None)
    # The next scan says the same: nothing is asked twice, neither while it waits nor after it was refused.
    officer = make_member("security-officer", "decider")
    importing.take_in(
        actor=SYSTEM, raw=sarif(result(suppressions=[_outside(end.isoformat())]), tool="Semgrep OSS", commit=NEW)
    )
    services.decide(actor=actor_of(officer), proposal_id=proposal.id, agreed=False)
    importing.take_in(
        actor=SYSTEM, raw=sarif(result(suppressions=[_outside(end.isoformat())], level="error"), commit=NEW)
    )
    assert Proposal.objects.count() == 1


@pytest.mark.parametrize("how", [{"status": "rejected"}, {"reason": ""}, {"until": "2001-01-01"}])
def test_a_suppression_that_is_rejected_over_or_without_a_reason_proposes_nothing(db_all, how):
    importing.take_in(actor=SYSTEM, raw=sarif(result(suppressions=[_outside(**how)])))
    assert found().state == State.OPEN
    assert not Proposal.objects.exists()


def test_a_suppression_without_an_end_is_proposed_for_ninety_days_and_may_be_agreed_to(db_all):
    importing.take_in(actor=SYSTEM, raw=sarif(result(suppressions=[_outside()])))
    proposal = Proposal.objects.get()
    assert proposal.until == dates.today() + dt.timedelta(days=90)
    officer = make_member("security-officer", "decider")
    services.decide(actor=actor_of(officer), proposal_id=proposal.id, agreed=True)
    assert found().state == State.ACCEPTED
