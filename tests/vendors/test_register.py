"""The register: two people for every decision, nothing without papers, every change public."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from headshotly.audit.actor import Actor
from headshotly.policy import clock, dates
from headshotly.vendors import mail, questionnaire, register, reminding, selectors
from headshotly.vendors.errors import RegisterRefused, VendorMissing
from headshotly.vendors.models import State, Vendor
from headshotly.vendors.standing import Standing
from tests.vendors.conftest import ENTRY, GOOD, ONE, OTHER

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.mark.clause("9.1.a")
def test_a_vendor_comes_into_use_through_two_people(make_vendor):
    vendor = make_vendor()
    [found] = selectors.in_use()
    assert found.vendor.id == vendor.id
    assert found.standing is Standing.OPEN
    assert (vendor.proposed_by, vendor.decided_by) == ("operator:founder-1", "operator:founder-2")


@pytest.mark.clause("9.1.a")
def test_nobody_decides_about_their_own():
    proposed = register.propose(actor=ONE, **ENTRY)
    assessed = register.assess(actor=ONE, slug="stripe", answers=GOOD)
    with pytest.raises(RegisterRefused, match="other than the assessor"):
        register.approve_assessment(actor=ONE, assessment_id=assessed.id)
    register.approve_assessment(actor=OTHER, assessment_id=assessed.id)
    with pytest.raises(RegisterRefused, match="Somebody other"):
        register.approve(actor=ONE, vendor_id=proposed.id)
    with pytest.raises(RegisterRefused, match="Somebody other"):
        register.refuse(actor=ONE, vendor_id=proposed.id, because="no")
    # The database refuses it too, whoever writes to it.
    with pytest.raises(IntegrityError), transaction.atomic():
        Vendor.objects.filter(id=proposed.id).update(
            state=State.APPROVED, decided_by="operator:founder-1", decided_at=clock.now()
        )


@pytest.mark.clause("9.1.a")
def test_nobody_is_approved_before_an_assessment():
    proposed = register.propose(actor=ONE, **ENTRY)
    with pytest.raises(RegisterRefused, match="assessment first"):
        register.approve(actor=OTHER, vendor_id=proposed.id)


@pytest.mark.clause("9.1.a")
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"slug": "No Slug"}, "short name"),
        ({"purpose": " "}, "short name"),
        ({"tier": "huge"}, "short name"),
        ({"categories": ["faces"]}, "none of the kinds"),
        ({"regions": ["US"]}, "stays in the European Union"),
        ({"regions": ["eu-west-2"]}, "stays in the European Union"),
        ({"regions": []}, "where the vendor processes"),
        ({"hosts": []}, "at least one host"),
        ({"hosts": ["https://x.example"]}, "no host name"),
        ({"hosts": ["*.com"]}, "no host name"),
        ({"hosts": ["127.0.0.1"]}, "no host name"),
        ({"subprocessors": [{"name": "Elsewhere Inc", "country": "US"}]}, "sub-processor"),
    ],
)
def test_entries_that_will_not_do_are_refused_in_words(changed, words):
    with pytest.raises(RegisterRefused, match=words):
        register.propose(actor=ONE, **{**ENTRY, **changed})
    assert not Vendor.objects.exists()


@pytest.mark.clause("9.1.a")
def test_the_questionnaire_is_scored_and_has_conditions():
    assert questionnaire.score(GOOD, tier="critical") == 100
    with pytest.raises(RegisterRefused, match="able to say yes"):
        questionnaire.score({**GOOD, "union": "partly"}, tier="ordinary")
    with pytest.raises(RegisterRefused, match="Please answer"):
        questionnaire.score({key: value for key, value in GOOD.items() if key != "people"}, tier="ordinary")
    soft = {one.id: "yes" if one.must else "no" for one in questionnaire.questions()}
    with pytest.raises(RegisterRefused, match="needs 80 %"):
        questionnaire.score(soft, tier="critical")
    assert questionnaire.score(soft, tier="ordinary") >= 60


def test_only_people_of_the_house_keep_the_register():
    for actor in (Actor(kind="visitor"), Actor(kind="system"), Actor(kind="worker", role="w")):
        with pytest.raises(RegisterRefused, match="member of staff"):
            register.propose(actor=actor, **ENTRY)


@pytest.mark.clause("9.1.c")
@pytest.mark.parametrize(
    "changed",
    [{"kind": "promise"}, {"title": ""}, {"sha256": "xyz"}, {"until_on": dt.date(2019, 1, 1)}],
)
def test_papers_that_will_not_do_are_refused(changed):
    register.propose(actor=ONE, **ENTRY)
    sound = {
        "slug": "stripe", "kind": "agreement", "title": "DPA", "sha256": "a" * 64,
        "from_on": dt.date(2026, 1, 1), "until_on": dt.date(2027, 1, 1),
    }  # fmt: skip
    with pytest.raises(RegisterRefused):
        register.record_document(actor=ONE, **{**sound, **changed})
    with pytest.raises(VendorMissing):
        register.record_document(actor=ONE, **{**sound, "slug": "nobody"})


@pytest.mark.clause("9.1.b")
def test_a_change_holds_only_once_somebody_else_approved_it_and_is_public(make_vendor):
    first = make_vendor()
    second = register.propose(actor=ONE, **{**ENTRY, "regions": ["IE", "DE"]})
    assert [one.vendor.id for one in selectors.in_use()] == [first.id]
    register.approve(actor=OTHER, vendor_id=second.id)
    assert [one.vendor.id for one in selectors.in_use()] == [second.id]
    register.end(actor=ONE, slug="stripe", because="moved on")
    assert selectors.in_use() == []
    said = [one.what for one in selectors.changes()]
    assert said == ["is not used any more.", "changed: regions: IE → DE, IE", "was added: Takes payments."]
    with pytest.raises(VendorMissing):
        register.end(actor=ONE, slug="stripe", because="again")


@pytest.mark.clause("9.1.b")
def test_a_paper_that_begins_later_does_not_count_yet(make_vendor):
    make_vendor()
    from headshotly.vendors.models import VendorDocument

    VendorDocument.objects.update(from_on=dates.today() + dt.timedelta(days=5))
    assert selectors.in_use()[0].standing is Standing.CLOSED


@pytest.mark.clause("9.2")
def test_what_runs_out_is_named_in_time(make_vendor, monkeypatch):
    make_vendor()
    letters = []
    monkeypatch.setattr(mail, "send", lambda **letter: letters.append(letter))
    assert reminding.remind() == 0
    assert letters == []
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(days=280))
    assert reminding.remind() == 1
    assert "Stripe" in letters[0]["text"]
    assert letters[0]["to"] == "security@headshotly.ai"
