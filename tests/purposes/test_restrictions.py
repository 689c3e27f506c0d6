"""Standing still, choosing how long, and the register of risks."""

import datetime as dt
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from headshotly.audit.actor import Actor
from headshotly.policy import clock, dates
from headshotly.purposes import restrictions, retention, risks
from headshotly.purposes.declarations import limits
from headshotly.purposes.errors import ChoiceRefused, ProcessingRestricted, RiskRefused, UnknownActivity
from headshotly.purposes.grounds import RestrictionGround
from headshotly.purposes.models import Risk
from headshotly.purposes.risks import Rating
from headshotly.purposes.services import erase_consents, require_consent
from headshotly.purposes.texts import HEADSHOT_GENERATION

pytestmark = pytest.mark.django_db(databases="__all__")
ASKED, OBJECTION = RestrictionGround.CUSTOMER, RestrictionGround.OBJECTION
STAFF = Actor(kind="staff", id=uuid4(), role="security-officer")
OTHER = Actor(kind="staff", id=uuid4(), role="dpo")


@pytest.mark.clause("1.2.c")
def test_what_is_restricted_stands_still_until_every_reason_is_lifted(person) -> None:
    for ground in (ASKED, OBJECTION):
        assert restrictions.restrict(actor=person.actor, subject=person.id, activity=HEADSHOT_GENERATION, ground=ground)
    assert not restrictions.restrict(actor=person.actor, subject=person.id, activity=HEADSHOT_GENERATION, ground=ASKED)
    for ground in (ASKED, OBJECTION):
        with pytest.raises(ProcessingRestricted):
            require_consent(subject=person.id, activity=HEADSHOT_GENERATION)
        assert restrictions.resume(actor=person.actor, subject=person.id, activity=HEADSHOT_GENERATION, ground=ground)
    require_consent(subject=person.id, activity=HEADSHOT_GENERATION)
    assert restrictions.in_force(person.id) == []


def test_nothing_that_nobody_declared_can_be_restricted(person) -> None:
    with pytest.raises(UnknownActivity):
        restrictions.restrict(actor=person.actor, subject=person.id, activity="nothing", ground=ASKED)


def test_a_time_is_chosen_among_those_offered_only(person) -> None:
    photos = limits()["photos"]
    assert retention.days_for(person.id, photos) == 30
    retention.choose(actor=person.actor, subject=person.id, limit="photos", days=7)
    retention.choose(actor=person.actor, subject=person.id, limit="headshots", days=None)
    assert retention.days_for(person.id, photos) == 7
    assert retention.chosen(photos) == {person.id: 7}
    for limit, days in (("photos", 31), ("photos", None), ("exports", 1), ("nothing", 7)):
        with pytest.raises(ChoiceRefused):
            retention.choose(actor=person.actor, subject=person.id, limit=limit, days=days)
    assert erase_consents(subject=person.id) == 3
    assert retention.days_for(person.id, photos) == 30


def record(**changes) -> Risk:
    fields = {
        "title": "A lost laptop",
        "threat": "Somebody reads photos from a lost laptop.",
        "clause_ids": ["3.2.a"],
        "before": Rating(4, 5),
        "after": Rating(2, 5),
        "review_on": dates.today() + dt.timedelta(days=100),
    }
    return risks.record(actor=STAFF, **(fields | changes))


@pytest.mark.clause("1.1.e")
def test_what_remains_above_the_line_needs_somebody_elses_acceptance() -> None:
    risk, low = record(), record(after=Rating(1, 5))
    assert [one.id for one in risks.unaccepted()] == [risk.id]
    with pytest.raises(RiskRefused):
        risks.accept(actor=STAFF, risk_id=risk.id, because="I say so.")
    with pytest.raises(IntegrityError), transaction.atomic():
        Risk.objects.filter(id=risk.id).update(accepted_by=STAFF.id)
    with pytest.raises(RiskRefused):
        risks.accept(actor=OTHER, risk_id=risk.id, because=" ")
    risks.accept(actor=OTHER, risk_id=risk.id, because="Disks are encrypted; the rest is bearable.")
    assert risks.unaccepted() == []
    risks.close(actor=OTHER, risk_id=low.id)
    with pytest.raises(RiskRefused):
        risks.close(actor=OTHER, risk_id=low.id)
    assert risks.register()[-1].id == low.id


@pytest.mark.clause("1.1.e")
def test_a_risk_past_its_review_is_no_longer_accepted(monkeypatch) -> None:
    risk = record(after=Rating(1, 1))
    assert risks.unaccepted() == []
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + dt.timedelta(days=101))
    assert [one.id for one in risks.unaccepted()] == [risk.id]


@pytest.mark.parametrize(
    "change",
    [
        {"clause_ids": []},
        {"clause_ids": ["99.z"]},
        {"title": " "},
        {"threat": ""},
        {"after": Rating(5, 5), "before": Rating(1, 1)},
        {"before": Rating(6, 6)},
        {"after": Rating(0, 1)},
        {"review_on": dt.date(2020, 1, 1)},
        {"review_on": dt.date(2200, 1, 1)},
    ],
)
def test_an_incomplete_risk_is_refused(change) -> None:
    with pytest.raises(RiskRefused):
        record(**change)


@given(st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=25)
def test_a_score_is_within_its_range(likelihood: int, impact: int) -> None:
    assert 1 <= Rating(likelihood, impact).score <= 25
