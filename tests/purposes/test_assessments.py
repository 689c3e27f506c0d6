"""Impact assessments: contents, advice, approval by another, review, consultation; and production without one."""

import dataclasses
import datetime as dt
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from headshotly.audit.actor import Actor
from headshotly.policy import clock, configuration, dates
from headshotly.purposes import assessments
from headshotly.purposes.declarations import activity
from headshotly.purposes.errors import AssessmentMissing, AssessmentRefused, UnknownActivity
from headshotly.purposes.models import Assessment, AssessmentState
from headshotly.purposes.services import give_consent, require_consent
from headshotly.purposes.texts import HEADSHOT_GENERATION, current_text

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("1.1.b")]
WORDS = {name: f"What there is to say about {name}, in enough words." for name in assessments.CONTENTS}
AUTHOR = Actor(kind="staff", id=uuid4(), role="security-officer")
DPO = Actor(kind="staff", id=uuid4(), role="dpo")


def soon(days: int = 300) -> dt.date:
    return dates.today() + dt.timedelta(days=days)


def write(**changes):
    return assessments.write(actor=AUTHOR, activity_id=HEADSHOT_GENERATION, contents=WORDS, **changes)


def approved(**changes) -> Assessment:
    made = write(**changes)
    assessments.advise(actor=DPO, assessment_id=made.id, advice="Keep the measurements in memory only.")
    if made.residual_high:
        today = dates.today()
        assessments.record_consultation(actor=AUTHOR, assessment_id=made.id, consulted_on=today, answer="Go on.")
    return assessments.approve(actor=DPO, assessment_id=made.id, review_on=soon())


@pytest.mark.parametrize("missing", assessments.CONTENTS)
def test_every_part_of_the_article_must_be_there(missing) -> None:
    with pytest.raises(AssessmentRefused):
        assessments.write(actor=AUTHOR, activity_id=HEADSHOT_GENERATION, contents=WORDS | {missing: "short"})


def test_an_activity_that_nobody_declared_has_no_assessment() -> None:
    with pytest.raises(UnknownActivity):
        assessments.write(actor=AUTHOR, activity_id="nothing", contents=WORDS)


def test_it_counts_once_advised_and_approved_by_somebody_else() -> None:
    declared = activity(HEADSHOT_GENERATION)
    assert declared in assessments.missing()
    made = write()
    with pytest.raises(AssessmentRefused):
        assessments.approve(actor=DPO, assessment_id=made.id, review_on=soon())
    assessments.advise(actor=DPO, assessment_id=made.id, advice="Fine.")
    assessments.approve(actor=DPO, assessment_id=made.id, review_on=soon())
    assert assessments.current(declared) is not None
    assert declared not in assessments.missing()


def test_nobody_approves_or_refuses_their_own() -> None:
    made = assessments.write(actor=DPO, activity_id=HEADSHOT_GENERATION, contents=WORDS)
    assessments.advise(actor=DPO, assessment_id=made.id, advice="I like it.")
    with pytest.raises(AssessmentRefused, match="their own"):
        assessments.approve(actor=DPO, assessment_id=made.id, review_on=soon())
    with pytest.raises(AssessmentRefused, match="their own"):
        assessments.refuse(actor=DPO, assessment_id=made.id, reason="Not good.")
    with pytest.raises(IntegrityError), transaction.atomic():
        Assessment.objects.filter(id=made.id).update(decided_by=DPO.id)


@pytest.mark.parametrize("role", ["security-officer", "operations", "developer"])
def test_only_the_dpo_advises_and_decides(role) -> None:
    made, other = write(), Actor(kind="staff", id=uuid4(), role=role)
    with pytest.raises(AssessmentRefused):
        assessments.advise(actor=other, assessment_id=made.id, advice="Fine.")
    assessments.advise(actor=DPO, assessment_id=made.id, advice="Fine.")
    with pytest.raises(AssessmentRefused):
        assessments.approve(actor=other, assessment_id=made.id, review_on=soon())


def test_a_customer_takes_no_step() -> None:
    with pytest.raises(AssessmentRefused):
        assessments.write(actor=Actor(kind="customer", id=uuid4()), activity_id=HEADSHOT_GENERATION, contents=WORDS)


def test_a_high_risk_that_remains_goes_to_the_authority_first() -> None:
    made = write(residual_high=True)
    assessments.advise(actor=DPO, assessment_id=made.id, advice="Ask them.")
    with pytest.raises(AssessmentRefused):
        assessments.approve(actor=DPO, assessment_id=made.id, review_on=soon())
    with pytest.raises(AssessmentRefused):
        assessments.record_consultation(
            actor=AUTHOR, assessment_id=made.id, consulted_on=soon(), answer="From the future."
        )
    assessments.record_consultation(actor=AUTHOR, assessment_id=made.id, consulted_on=dates.today(), answer="Go on.")
    assessments.approve(actor=DPO, assessment_id=made.id, review_on=soon())


@pytest.mark.parametrize("days", [0, -1, 4 * 366])
def test_the_review_date_lies_ahead_and_not_too_far(days) -> None:
    made = write()
    assessments.advise(actor=DPO, assessment_id=made.id, advice="Fine.")
    with pytest.raises(AssessmentRefused):
        assessments.approve(actor=DPO, assessment_id=made.id, review_on=soon(days))


def test_an_approval_ends_on_its_review_date_and_with_the_declaration(monkeypatch) -> None:
    approved()
    declared = activity(HEADSHOT_GENERATION)
    changed = dataclasses.replace(declared, purpose="Something else entirely.")
    assert assessments.current(changed) is None
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + dt.timedelta(days=300))
    assert assessments.current(declared) is None


def test_a_newer_one_replaces_the_older() -> None:
    first, second = approved(), approved(residual_high=True)
    first.refresh_from_db()
    assert first.state == AssessmentState.REPLACED
    assert assessments.current(activity(HEADSHOT_GENERATION)).id == second.id


def test_production_refuses_what_is_not_assessed_and_nothing_else_does(person, settings) -> None:
    require_consent(subject=person.id, activity=HEADSHOT_GENERATION)
    settings.HEADSHOTLY = dataclasses.replace(configuration.current(), environment="production")
    with pytest.raises(AssessmentMissing):
        require_consent(subject=person.id, activity=HEADSHOT_GENERATION)
    with pytest.raises(UnknownActivity):
        assessments.require_assessed("nothing")
    assessments.require_assessed("account")
    approved()
    require_consent(subject=person.id, activity=HEADSHOT_GENERATION)


def test_a_refused_one_does_not_count() -> None:
    made = write()
    assessments.refuse(actor=DPO, assessment_id=made.id, reason="The risks are too many.")
    assert assessments.current(activity(HEADSHOT_GENERATION)) is None
    with pytest.raises(AssessmentRefused):
        assessments.advise(actor=DPO, assessment_id=made.id, advice="Too late.")


def test_the_database_refuses_an_approval_without_advice_or_review() -> None:
    made = write()
    with pytest.raises(IntegrityError), transaction.atomic():
        Assessment.objects.filter(id=made.id).update(state=AssessmentState.APPROVED)


def test_consent_alone_is_still_needed(make_person) -> None:
    person = make_person("no@example.org", consent=False)
    version = current_text(HEADSHOT_GENERATION).version
    give_consent(actor=person.actor, subject=person.id, activity=HEADSHOT_GENERATION, version=version)
    require_consent(subject=person.id, activity=HEADSHOT_GENERATION)


def test_what_waits_for_the_officer_is_counted_and_one_s_own_is_not(db):

    def made(state, by):
        return Assessment.objects.create(
            activity=HEADSHOT_GENERATION,
            declaration_sha256="0" * 64,
            state=state,
            written_by=by,
            written_at=clock.now(),
        )

    officer, author = uuid4(), uuid4()
    assert assessments.waiting_for(author, decides=False) == len(assessments.missing()) > 0
    made(AssessmentState.ADVICE, author)
    made(AssessmentState.APPROVAL, author)
    made(AssessmentState.REFUSED, author)
    made(AssessmentState.ADVICE, officer)
    assert assessments.waiting_for(officer, decides=True) == 2
