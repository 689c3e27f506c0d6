"""People, permissions and records, broken: sections 1, 2.1, 2.4, 4.1, 5 and 11."""

import datetime as dt
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.urls import clear_url_caches, path

from headshotly.access import grants, personnel, services
from headshotly.access.models import Grant, Personnel, StaffMember
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.frontdoor import urls
from headshotly.policy import clock, dates, mapping
from headshotly.proof import selectors
from headshotly.proof import services as proof
from headshotly.proof.verdicts import Verdict
from headshotly.purposes import assessments, declarations, risks
from headshotly.purposes import services as purposes
from headshotly.purposes.risks import Rating
from headshotly.purposes.texts import HEADSHOT_GENERATION, current_text
from headshotly.rights import mailing, publishing
from headshotly.rights import services as rights
from headshotly.rights.models import Delivery
from headshotly.rights.services import Words
from headshotly.rights.states import Channel, Kind, Regime
from headshotly.studio.models import Photo, Shoot, ShootState
from headshotly.vendors.posting import PostState
from tests.access.conftest import at_desk, make_member
from tests.rights.conftest import DPO, OTHER_DPO

pytestmark = pytest.mark.django_db(databases="__all__")
AUTHOR = Actor(kind="staff", id=uuid4(), role="security-officer")


def consent(subject) -> None:
    purposes.give_consent(
        actor=Actor(kind="customer", id=subject),
        subject=subject,
        activity=HEADSHOT_GENERATION,
        version=current_text(HEADSHOT_GENERATION).version,
    )


@pytest.mark.sabotage("personal_data_declared", "a column with personal data belongs to no activity")
def test_an_undeclared_column(watch, monkeypatch) -> None:
    watch.is_content()
    monkeypatch.delitem(declarations._KEPT, "accounts.Customer.email_sealed")
    watch.is_broken("accounts.Customer.email_sealed")


@pytest.mark.sabotage("assessments_current", "an impact assessment runs out while photos are processed")
def test_an_assessment_runs_out(watch, customer, later) -> None:
    consent(customer.id)
    contents = dict.fromkeys(assessments.CONTENTS, "Long enough to say something about the processing. " * 3)
    made = assessments.write(actor=AUTHOR, activity_id=HEADSHOT_GENERATION, contents=contents)
    assessments.advise(actor=DPO, assessment_id=made.id, advice="It may go on.")
    review = dates.today() + dt.timedelta(days=30)
    assessments.approve(actor=OTHER_DPO, assessment_id=made.id, review_on=review)
    watch.is_content()
    later(days=31)
    watch.is_broken(HEADSHOT_GENERATION)


@pytest.mark.sabotage("officer_oversees", "the Data Protection Officer leaves and nobody follows")
def test_an_empty_seat(watch, db_all) -> None:
    officer = make_member("dpo")
    watch.is_content()
    services.close(actor=SYSTEM, member=officer)
    watch.is_broken("Data Protection Officer")


def ask_for_correction(customer):
    return rights.receive(
        actor=Actor(kind="customer", id=customer.id),
        kind=Kind.CORRECT,
        regime=Regime.EITHER,
        channel=Channel.ACCOUNT,
        words=Words(text="It is wrong."),
        subject=customer.id,
    ).request


@pytest.mark.sabotage("officer_oversees", "a request lies in the officer's queue past its limit")
def test_a_neglected_queue(watch, customer, later) -> None:
    make_member("dpo")
    request = ask_for_correction(customer)
    watch.is_content()
    later(days=100)
    watch.is_broken(request.reference)


@pytest.mark.sabotage("requests_in_time", "a request is not answered in time")
def test_a_late_answer(watch, customer, later) -> None:
    request = ask_for_correction(customer)
    watch.is_content()
    later(days=100)
    watch.is_broken(request.reference)


def photo(subject) -> Photo:
    return Photo.objects.create(
        subject=subject, object_id=uuid4(), preview_id=uuid4(), sentence="Good.", score=1, received_at=clock.now()
    )


@pytest.mark.sabotage("photos_have_basis", "a photo is taken in from somebody who never agreed")
def test_a_photo_without_consent(watch, customer) -> None:
    consent(customer.id)
    photo(customer.id)
    watch.is_content()
    watch.is_broken(photo(uuid4()).id)


@pytest.mark.sabotage("photos_have_basis", "work goes on after consent was taken back")
def test_work_after_withdrawal(watch, customer, monkeypatch) -> None:
    consent(customer.id)
    shoot = Shoot.objects.create(
        subject=customer.id, state=ShootState.RUNNING, steps_total=1, created_at=clock.now(), started_at=clock.now()
    )
    watch.is_content()
    monkeypatch.setattr(purposes, "stop_work", lambda **_fields: None)
    purposes.withdraw_consent(
        actor=Actor(kind="customer", id=customer.id), subject=customer.id, activity=HEADSHOT_GENERATION
    )
    watch.is_broken(shoot.id)


@pytest.mark.sabotage("photos_have_basis", "the gate before processing is open")
def test_an_open_gate(watch, monkeypatch) -> None:
    monkeypatch.setattr(purposes, "require_consent", lambda **_fields: None)
    watch.is_broken("a person who never agreed")


def risk(after: Rating):
    return risks.record(
        actor=AUTHOR,
        title="Stolen backup",
        threat="Somebody reads the photos of everybody.",
        clause_ids=["6.1.a"],
        before=Rating(5, 5),
        after=after,
        review_on=dates.today() + dt.timedelta(days=90),
    )


@pytest.mark.sabotage("risks_accepted", "a high risk remains and nobody accepted it")
def test_an_unaccepted_risk(watch) -> None:
    risk(Rating(1, 2))
    watch.is_content()
    watch.is_broken(risk(Rating(5, 4)).id)


@pytest.mark.sabotage("mapping_reviewed", "a sentence changes and nobody looks at its controls")
def test_a_changed_sentence(watch, monkeypatch) -> None:
    watch.is_content()
    known = mapping.mappings()
    one = known["3.2.a"]
    changed = mapping.Mapping("0" * 64, one.iso, one.asvs, one.reviewed_on, one.reviewed_by)
    monkeypatch.setattr(mapping, "mappings", lambda: {**known, "3.2.a": changed})
    watch.is_broken("3.2.a")


@pytest.mark.sabotage("data_centre_report", "the hosting provider's report runs out")
def test_a_report_runs_out(watch, later) -> None:
    today = dates.today()
    proof.attest(
        actor=AUTHOR, clause_id="2.1.b", statement="The data centres are guarded.", document_title="SOC 2",
        document_sha256="ab" * 32, issuer="Auditors", valid_from=today, expires_on=today + dt.timedelta(days=30),
    )  # fmt: skip
    proof.verify(scene=watch.scene, clause_ids=["2.1.b"], asked_by="command")
    assert selectors.state("2.1.b").judgement.verdict is Verdict.ATTESTED
    later(days=31)
    found = selectors.state("2.1.b").judgement
    assert found.verdict is Verdict.STALE
    assert "ran out" in found.reason


@pytest.mark.sabotage("doors_name_permissions", "an address is added without a permission")
def test_a_bare_address(watch, monkeypatch) -> None:
    watch.is_content()
    bare = path("bare/", lambda _request: HttpResponse("everything"))
    monkeypatch.setattr(urls, "urlpatterns", [*urls.urlpatterns, bare])
    clear_url_caches()
    try:
        watch.is_broken("address /bare/")
    finally:
        monkeypatch.undo()
        clear_url_caches()


@pytest.mark.sabotage("access_is_reviewed", "nobody reviews access for more than 90 days")
def test_a_forgotten_review(watch, support, later) -> None:
    watch.is_content()
    later(days=91)
    watch.is_broken("The review of access was due on")


@pytest.mark.sabotage("staff_sessions_have_factors", "a session stays open after its second factor was taken away")
def test_a_session_without_factor(watch, support) -> None:
    at_desk(support)
    watch.is_content()
    StaffMember.objects.filter(id=support.id).update(totp_sealed=b"")
    watch.is_broken(support.handle)


@pytest.mark.sabotage("staff_sessions_have_factors", "a session of somebody who never enrolled counts")
def test_a_session_of_nobody(watch, support, monkeypatch) -> None:
    monkeypatch.setattr(services, "session_of", lambda token: token)
    watch.is_broken("without a second factor was accepted")


@pytest.mark.sabotage("grants_are_bounded", "a grant is made to last for ever")
def test_an_endless_grant(watch, grant) -> None:
    watch.is_content()
    Grant.objects.filter(id=grant.id).update(expires_at=clock.now() + dt.timedelta(days=3650))
    watch.is_broken(grant.id)


@pytest.mark.sabotage("grants_are_bounded", "nobody reviews a break-glass")
def test_unreviewed_glass(watch, support, customer, later) -> None:
    opened = grants.break_glass(
        member=support, scope="details", subject=customer.id, purpose="support-request", ticket="INC-1",
        reason="The customer is on the phone and locked out.",
    )  # fmt: skip
    watch.is_content()
    later(hours=73)
    watch.is_broken(f"unreviewed {opened.id}")


@pytest.mark.sabotage("agreements_signed", "somebody holds access without having signed")
def test_an_unsigned_agreement(watch, grant, support) -> None:
    watch.is_content()
    Personnel.objects.filter(member=support).update(agreement_signed_at=None)
    watch.is_broken(support.handle)


@pytest.mark.sabotage("screenings_current", "a background check runs out under a grant")
def test_an_expired_screening(watch, grant, support) -> None:
    watch.is_content()
    yesterday = dates.today() - dt.timedelta(days=1)
    Personnel.objects.filter(member=support).update(screening_expires_on=yesterday)
    watch.is_broken(support.handle)


@pytest.mark.sabotage("training_current", "a training runs out under a grant")
def test_an_expired_training(watch, grant, support) -> None:
    watch.is_content()
    yesterday = dates.today() - dt.timedelta(days=1)
    Personnel.objects.filter(member=support).update(training_expires_on=yesterday)
    watch.is_broken(support.handle)


@pytest.mark.sabotage("agreements_signed", "access is given without looking at the people checks")
def test_a_gate_without_people_checks(watch, grant, monkeypatch) -> None:
    monkeypatch.setattr(personnel, "gaps", lambda _member: ())
    watch.is_broken("Access was not refused to a made-up member")


@pytest.fixture
def published(customer):
    made = publishing.publish(
        actor=DPO,
        document="privacy-notice",
        effective_on=dates.today(),
        summary="We say more clearly how long things are kept.",
    )
    mailing.queue_due()
    mailing.send_due()
    return made


@pytest.mark.sabotage("policy_mails_sent", "a customer's mail about a new version is given up")
def test_a_customer_is_not_told(watch, published, customer) -> None:
    watch.is_content()
    Delivery.objects.filter(subject=customer.id).update(state=PostState.FAILED)
    watch.is_broken(customer.id)


@pytest.mark.sabotage("policy_mails_sent", "mails about a new version stay in the queue")
def test_mails_that_stay(watch, published, customer, later) -> None:
    Delivery.objects.filter(subject=customer.id).update(state=PostState.QUEUED)
    watch.is_content()
    later(days=3)
    watch.is_broken(customer.id)
