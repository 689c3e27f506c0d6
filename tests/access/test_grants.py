"""Grants, break-glass and the people checks that bite (clauses 2.4.c, 4.1.b, 5.1, 5.2)."""

import datetime as dt
import threading
import uuid

import pytest
from django.db import IntegrityError, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headshotly.access import desk, disclosure, grants, personnel, services, trusted_time
from headshotly.access.errors import ClockMovedBack, GrantRefused, NotFound, RecordRefused
from headshotly.access.grants import State
from headshotly.access.models import Grant, Personnel, StaffMember
from headshotly.access.warrants import staff_warrant
from headshotly.audit import selectors as journal
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.audit.sequencing import sequence_once
from headshotly.policy import clock, dates
from headshotly.vault import services as vault
from headshotly.vault.errors import WarrantRefused
from headshotly.vendors.mail import MailNotSent
from tests.access.conftest import at_desk, browser, make_fit, make_member
from tests.accounts.conftest import EMAIL, NAME, make_customer
from tests.accounts.conftest import PASSWORD as CUSTOMER_PASSWORD

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("2.4.c"), pytest.mark.clause("5.1.a")]
REASON = "The customer is on the phone and locked out."


@pytest.fixture
def support(db_all):
    return make_member("support")


@pytest.fixture
def officer(db_all):
    return make_member("security-officer")


def wanted(subject, scope="details", **more):
    subject = None if scope.startswith("act:") else subject
    return {"scope": scope, "subject": subject, "purpose": "support-request", "ticket": "SUP-1", **more}


def asked(member, subject, **more) -> Grant:
    return grants.ask(member=member, **wanted(subject, **{"minutes": 60, **more}))


def test_the_whole_way_from_asking_to_opening_to_the_end(customer, support, officer, later):
    grant = asked(support, customer.id)
    with pytest.raises(GrantRefused, match="asked"):
        disclosure.open_details(member=support, grant_id=grant.id)
    grants.approve(decider=officer, grant_id=grant.id)
    profile = disclosure.open_details(member=support, grant_id=grant.id)
    assert (profile.name, profile.email) == (NAME, EMAIL)
    later(minutes=60)
    with pytest.raises(GrantRefused, match="expired"):
        disclosure.open_details(member=support, grant_id=grant.id)


@pytest.mark.clause("5.3.a")
def test_the_customer_sees_who_opened_and_under_which_grant(customer, support, officer):
    grant = asked(support, customer.id)
    grants.approve(decider=officer, grant_id=grant.id)
    disclosure.open_details(member=support, grant_id=grant.id)
    while sequence_once():
        pass
    opened = [e.leaf for e in journal.entries_of_subject(customer.id) if e.leaf.act is Act.FIELD_OPENED]
    by_staff = [leaf for leaf in opened if leaf.actor.kind == "staff"]
    assert len(by_staff) == 2
    assert all(str(grant.id) in leaf.purpose and leaf.actor.id == support.id for leaf in by_staff)


def test_nobody_approves_their_own_request(customer, officer):
    grant = asked(officer, customer.id)
    with pytest.raises(GrantRefused, match="own"):
        grants.approve(decider=officer, grant_id=grant.id)
    answer = at_desk(officer).post(f"/staff/grants/{grant.id}/decide/", {"decision": "approve", "decider": "x"})
    assert answer.status_code == 403
    with pytest.raises(IntegrityError), transaction.atomic():  # and where the code is bypassed, the database refuses
        Grant.objects.filter(id=grant.id).update(decided_by=officer)


def test_an_approval_without_an_approver_is_refused_by_the_database(customer, support):
    grant, moment = asked(support, customer.id), clock.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.filter(id=grant.id).update(approved_at=moment, begins_at=moment, expires_at=moment)


@pytest.mark.parametrize(
    ("role", "scope", "may"),
    [
        ("dpo", "details", True),
        ("security-officer", "photo", True),
        ("operations", "details", False),
        ("operations", "act:restore", True),
        ("dpo", "act:restore", False),
        ("support", "details", False),
        ("auditor", "details", False),
    ],
)
def test_who_decides_about_what(customer, role, scope, may):
    asker, decider = make_member("developer"), make_member(role, "decider")
    grant = asked(asker, customer.id, scope=scope)
    if may:
        assert grants.approve(decider=decider, grant_id=grant.id).approved_at
    else:
        with pytest.raises(GrantRefused, match="role"):
            grants.approve(decider=decider, grant_id=grant.id)


GAPS = {
    "screening_expires_on": "background check has expired",
    "training_expires_on": "training has expired",
    "agreement_sha256": "new version",
}


@pytest.mark.clause("5.2")
@pytest.mark.clause("5.1.b")
@pytest.mark.clause("4.1.b")
@pytest.mark.parametrize("column", GAPS)
def test_any_gap_refuses_new_grants_and_ends_live_ones_at_once(customer, support, officer, column):
    grant, other = asked(support, customer.id), asked(support, customer.id, scope="photo")
    grants.approve(decider=officer, grant_id=grant.id)
    value = "0" * 64 if column == "agreement_sha256" else dates.today()
    Personnel.objects.filter(member=support).update(**{column: value})
    with pytest.raises(GrantRefused, match=GAPS[column]):
        disclosure.open_details(member=support, grant_id=grant.id)
    with pytest.raises(GrantRefused):
        asked(support, customer.id)
    make_fit(support)
    for one in (grant, other):
        one.refresh_from_db()
        assert grants.state(one, clock.now()) is State.ENDED, "a mended record does not bring grants back"


@pytest.mark.clause("5.2")
def test_what_a_member_holds_ends_by_itself_when_a_check_expires(customer, support, officer, later):
    from headshotly.access.duties import people_checks

    live, waiting = asked(support, customer.id), asked(support, customer.id)
    grants.approve(decider=officer, grant_id=live.id)
    assert people_checks().startswith("0 ")
    Personnel.objects.filter(member=support).update(training_expires_on=dates.today())
    assert people_checks().startswith("2 ")
    for grant in (live, waiting):
        grant.refresh_from_db()
        assert grants.state(grant, clock.now()) is grants.State.ENDED
        assert grant.ended_because == "the secure-coding training has expired"
    assert people_checks().startswith("0 ")


@pytest.mark.clause("5.2")
def test_a_decider_with_a_gap_decides_nothing(customer, support):
    unfit = make_member("dpo", fit=False)
    grant = asked(support, customer.id)
    with pytest.raises(GrantRefused, match="no background check"):
        grants.approve(decider=unfit, grant_id=grant.id)
    assert set(personnel.gaps(unfit)) == {
        "no background check is recorded",
        "the confidentiality agreement is not signed",
        "no secure-coding training is recorded",
    }


@pytest.mark.clause("5.2")
@pytest.mark.parametrize(
    "wrong",
    [
        {"report_sha256": "the report itself: nothing found"},
        {"provider": " "},
        {"expires_on": dt.date(2020, 1, 1)},
        {"passed_on": dt.date(2099, 1, 1)},
        {"expires_on": dt.date(2099, 1, 1)},
    ],
)
def test_a_record_that_makes_no_sense_is_not_kept(support, wrong):
    today = dates.today()
    right = {
        "passed_on": today,
        "expires_on": today + dt.timedelta(days=9),
        "provider": "P",
        "report_sha256": "ab" * 32,
    }
    with pytest.raises(RecordRefused):
        personnel.record_screening(actor=SYSTEM, member=support, **{**right, **wrong})


def test_nobody_writes_their_own_record(officer):
    today = dates.today()
    with pytest.raises(RecordRefused, match="own"):
        personnel.record_training(
            actor=Actor(kind="staff", id=officer.id, role=officer.role),
            member=officer,
            passed_on=today,
            expires_on=today + dt.timedelta(days=1),
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": 4},
        {"minutes": 481},
        {"ticket": "please"},
        {"purpose": "curiosity"},
        {"scope": "everything"},
        {"scope": "act:restore", "subject": uuid.uuid4()},
        {"subject": None},
        {"starts_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)},
        {"starts_at": dt.datetime(2099, 1, 1, tzinfo=dt.UTC)},
    ],
)
def test_a_request_that_makes_no_sense_is_refused(customer, support, wrong):
    request = {**wanted(customer.id), "minutes": 60, **wrong}
    with pytest.raises(GrantRefused):
        grants.ask(member=support, **request)
    assert not Grant.objects.exists()


def test_a_grant_opens_its_own_customer_and_kind_only(customer, support, officer):
    stranger = make_customer("other@example.org")
    actor = Actor(kind="customer", id=customer.id)
    mine = vault.seal(actor=actor, subject=customer.id, kind="photo", purpose="p", plaintext=b"\x89PNG mine")
    headshot = vault.seal(actor=actor, subject=customer.id, kind="headshot", purpose="p", plaintext=b"h")
    theirs = vault.seal(actor=actor, subject=stranger.id, kind="photo", purpose="p", plaintext=b"t")
    grant = asked(support, customer.id, scope="photo")
    grants.approve(decider=officer, grant_id=grant.id)
    assert disclosure.open_object(member=support, grant_id=grant.id, object_id=mine) == b"\x89PNG mine"
    for other in (headshot, theirs, uuid.uuid4()):
        with pytest.raises(NotFound):
            disclosure.open_object(member=support, grant_id=grant.id, object_id=other)
    with pytest.raises(GrantRefused):
        disclosure.open_details(member=support, grant_id=grant.id)
    warrant = staff_warrant(grant=Grant.objects.get(id=grant.id), member=support)
    with pytest.raises(WarrantRefused):
        vault.open(object_id=theirs, warrant=warrant)


def test_anothers_grant_is_not_there(customer, support, officer):
    thief = make_member("support", "thief")
    grant = asked(support, customer.id)
    grants.approve(decider=officer, grant_id=grant.id)
    with pytest.raises(NotFound):
        disclosure.open_details(member=thief, grant_id=grant.id)
    client = at_desk(thief)
    assert client.get(f"/staff/grants/{grant.id}/").status_code == 404
    assert client.post(f"/staff/grants/{grant.id}/details/").status_code == 404
    assert client.post(f"/staff/grants/{grant.id}/end/").status_code == 404
    with pytest.raises(ValueError, match="names its member"):
        staff_warrant(grant=Grant.objects.get(id=grant.id), member=thief)


def test_a_scheduled_grant_waits_for_its_beginning(customer, support, officer, later):
    grant = asked(support, customer.id, starts_at=clock.now() + dt.timedelta(hours=5), minutes=10)
    grants.approve(decider=officer, grant_id=grant.id)
    with pytest.raises(GrantRefused, match="scheduled"):
        grants.use(member=support, grant_id=grant.id)
    later(hours=5, minutes=1)
    grants.use(member=support, grant_id=grant.id)
    later(minutes=10)
    with pytest.raises(GrantRefused, match="expired"):
        grants.use(member=support, grant_id=grant.id)


def test_time_runs_from_the_approval_and_old_requests_lapse(customer, support, officer, later):
    grant, old = asked(support, customer.id, minutes=10), asked(support, customer.id)
    later(hours=3)
    grants.approve(decider=officer, grant_id=grant.id)
    grants.use(member=support, grant_id=grant.id)
    later(days=7)
    with pytest.raises(GrantRefused, match="not waiting"):
        grants.approve(decider=officer, grant_id=old.id)


def test_ending_is_one_click_and_final(customer, support, officer):
    grant = asked(support, customer.id)
    grants.approve(decider=officer, grant_id=grant.id)
    assert at_desk(officer).post(f"/staff/grants/{grant.id}/end/").status_code == 302
    with pytest.raises(GrantRefused, match="ended"):
        grants.use(member=support, grant_id=grant.id)
    with pytest.raises(GrantRefused):
        grants.approve(decider=officer, grant_id=grant.id)
    assert Grant.objects.get(id=grant.id).ended_because == "ended by security-officer-one"


def test_a_warrant_never_outlives_its_grant(customer, support, officer, later):
    grant = asked(support, customer.id, minutes=5)
    grants.approve(decider=officer, grant_id=grant.id)
    later(minutes=4, seconds=50)
    used = grants.use(member=support, grant_id=grant.id)
    assert staff_warrant(grant=used, member=support).expires_at <= used.expires_at


@pytest.mark.parametrize("back", [dt.timedelta(minutes=2), dt.timedelta(days=400)])
def test_a_clock_moved_back_brings_nothing_to_life(customer, support, officer, later, back):
    grant = asked(support, customer.id, minutes=5)
    grants.approve(decider=officer, grant_id=grant.id)
    later(minutes=6)
    with pytest.raises(GrantRefused):
        grants.use(member=support, grant_id=grant.id)
    later(seconds=-back.total_seconds())
    with pytest.raises(ClockMovedBack):
        grants.use(member=support, grant_id=grant.id)
    later(seconds=back.total_seconds())
    with pytest.raises(GrantRefused, match="expired"):
        grants.use(member=support, grant_id=grant.id)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.integers(min_value=-600, max_value=600), max_size=12))
def test_trusted_time_never_runs_backwards(db_all, later, steps):
    seen = []
    for step in steps:
        later(seconds=step)
        try:
            seen.append(trusted_time.now())
        except ClockMovedBack:
            continue
    assert seen == sorted(seen)


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_of_two_simultaneous_decisions_one_counts():
    customer_id = uuid.uuid4()
    support, one, two = make_member("support"), make_member("dpo"), make_member("security-officer")
    grant = asked(support, customer_id)
    gate, outcomes = threading.Barrier(2), []

    def decide(decision, decider) -> None:
        gate.wait()
        try:
            decision(decider=decider, grant_id=grant.id)
            outcomes.append("decided")
        except GrantRefused:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=decide, args=(grants.approve, one)),
        threading.Thread(target=decide, args=(grants.refuse, two)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["decided", "refused"]
    grant.refresh_from_db()
    assert (grant.approved_at is None) != (grant.refused_at is None)


class TestBreakGlass:
    def test_it_opens_at_once_is_loud_short_and_waits_for_its_review(self, customer, support, officer, later):
        from tests.accounts.conftest import mails

        before = len(mails())
        grant = grants.break_glass(member=support, **wanted(customer.id), reason=REASON)
        told = [path.read_text() for path in mails()[before:]]
        assert {"security@", "privacy@"} == {a for a in ("security@", "privacy@") if any(f"To: {a}" in m for m in told)}
        assert disclosure.open_details(member=support, grant_id=grant.id).name == NAME
        assert [one.id for one in desk.unreviewed_glass()] == [grant.id]
        assert "Break-glass to review" in at_desk(officer).get("/staff/").content.decode()
        later(minutes=30)
        with pytest.raises(GrantRefused, match="expired"):
            grants.use(member=support, grant_id=grant.id)
        grants.review(reviewer=officer, grant_id=grant.id, finding="Justified: the caller was verified first.")
        assert desk.unreviewed_glass() == []

    def test_a_warning_that_cannot_be_sent_opens_nothing(self, customer, support, monkeypatch):
        def fail(**_named):
            raise MailNotSent("down")

        monkeypatch.setattr("headshotly.vendors.mail.send", fail)
        with pytest.raises(MailNotSent):
            grants.break_glass(member=support, **wanted(customer.id), reason=REASON)
        assert not Grant.objects.exists()

    def test_it_needs_a_reason_the_checks_and_a_reviewed_past(self, customer, support):
        with pytest.raises(GrantRefused, match="what cannot wait"):
            grants.break_glass(member=support, **wanted(customer.id), reason="urgent")
        grants.break_glass(member=support, **wanted(customer.id), reason=REASON)
        with pytest.raises(GrantRefused, match="not reviewed"):
            grants.break_glass(member=support, **wanted(customer.id), reason=REASON)
        unfit = make_member("support", "unfit", fit=False)
        with pytest.raises(GrantRefused, match="No grant"):
            grants.break_glass(member=unfit, **wanted(customer.id), reason=REASON)

    def test_nobody_reviews_their_own(self, customer, officer):
        grant = grants.break_glass(member=officer, **wanted(customer.id), reason=REASON)
        with pytest.raises(GrantRefused):
            grants.review(reviewer=officer, grant_id=grant.id, finding="All was perfectly fine here.")
        with pytest.raises(IntegrityError), transaction.atomic():
            Grant.objects.filter(id=grant.id).update(reviewed_by=officer)
        other = make_member("dpo")
        grants.review(reviewer=other, grant_id=grant.id, finding="The caller was not verified: told them.")
        with pytest.raises(GrantRefused):
            grants.review(reviewer=other, grant_id=grant.id, finding="A second opinion about it.")


@pytest.mark.clause("2.4.b")
def test_closing_or_resetting_an_account_ends_everything_at_once(customer, support, officer):
    grant, client = asked(support, customer.id), at_desk(support)
    grants.approve(decider=officer, grant_id=grant.id)
    services.enrol_again(actor=SYSTEM, member=support)
    assert client.get("/staff/").status_code == 302
    with pytest.raises(GrantRefused):
        grants.use(member=StaffMember.objects.get(id=support.id), grant_id=grant.id)
    second = make_member("support", "second")
    client = at_desk(second)
    services.close(actor=SYSTEM, member=second)
    assert client.get("/staff/").status_code == 302


def test_support_helps_without_seeing_a_photo_or_a_name(customer, support):
    client = at_desk(support)
    found = client.post("/staff/customers/", {"email": EMAIL})
    assert found.status_code == 302
    page = client.get(found.url).content.decode()
    assert disclosure.MASK in page
    assert NAME not in page
    assert EMAIL not in page
    assert client.post("/staff/customers/", {"email": "nobody@example.org"}).status_code == 404
    assert client.get(f"/staff/customers/{uuid.uuid4()}/").status_code == 404


def test_support_sees_why_a_shoot_failed_and_no_picture(customer, support):
    from headshotly.policy import clock
    from headshotly.studio.models import Shoot, ShootState

    Shoot.objects.create(
        subject=customer.id, state=ShootState.FAILED, photo_ids=["x"], style_ids=["studio-grey"], steps_total=1,
        sentence="The disk is full.", created_at=clock.now(),
    )  # fmt: skip
    client = at_desk(support)
    assert "Shoots and their errors" in client.get(f"/staff/customers/{customer.id}/").content.decode()
    page = client.get(f"/staff/studio/customers/{customer.id}/").content.decode()
    assert "The disk is full." in page
    assert page.count("<img") == 1, "our own mark and nothing else"
    assert at_desk(make_member("finance")).get(f"/staff/studio/customers/{customer.id}/").status_code == 403


def test_the_customer_reads_in_plain_words_who_opened_what_and_why(customer, support, officer):
    grant = grants.ask(
        member=support, scope="details", subject=customer.id, purpose="support-request", ticket="SUP-9", minutes=30
    )
    grants.approve(decider=officer, grant_id=grant.id)
    disclosure.open_details(member=support, grant_id=grant.id)
    sequence_once()
    owner = browser()
    owner.post("/account/sign-in/", {"email": EMAIL, "password": CUSTOMER_PASSWORD})
    page = owner.get("/opened/").content.decode()
    assert "A member of staff <small>(support)</small>" in page
    assert "read your address" in page
    assert f"The customer asked for help (SUP-9), grant {grant.id}" in page


def test_the_newest_openings_are_shown_and_all_are_counted(customer, monkeypatch):
    monkeypatch.setattr("headshotly.access.openings._SHOWN", 3)
    for number in range(5):
        audit.record(
            actor=Actor(kind="customer", id=customer.id),
            act=Act.OBJECT_OPENED if number != 1 else Act.PHOTO_RECEIVED,
            subject=customer.id,
            purpose=f"look {number}",
        )
    sequence_once()
    newest, total = journal.newest_of_subject(customer.id, {Act.OBJECT_OPENED}, most=3)
    assert [one.leaf.purpose for one in newest] == ["look 4", "look 3", "look 2"]
    assert total == 4
    owner = browser()
    owner.post("/account/sign-in/", {"email": EMAIL, "password": CUSTOMER_PASSWORD})
    page = owner.get("/opened/").content.decode()
    assert "The newest 3 of 4" in page
    assert page.index("look 4") < page.index("look 2")
    assert "look 0" not in page


def test_support_signs_a_customer_out_everywhere(customer, support):
    owner = browser()
    assert owner.post("/account/sign-in/", {"email": EMAIL, "password": CUSTOMER_PASSWORD}).status_code == 302
    assert owner.get("/account/settings/").status_code == 200
    client = at_desk(support)
    answer = client.post(f"/staff/customers/{customer.id}/end-sessions/", follow=True)
    assert "1 session ended." in answer.content.decode()
    assert owner.get("/account/settings/").status_code == 302
    assert client.post(f"/staff/customers/{uuid.uuid4()}/end-sessions/").status_code == 404
    assert at_desk(make_member("finance")).post(f"/staff/customers/{customer.id}/end-sessions/").status_code == 403


def test_the_console_asks_opens_and_ends(customer, support, officer):
    desk_, boss = at_desk(support), at_desk(officer)
    form = {
        "scope": "details",
        "subject": str(customer.id),
        "purpose": "support-request",
        "ticket": "SUP-9",
        "minutes": "30",
    }
    assert desk_.post("/staff/grants/ask/", form).status_code == 302
    grant = Grant.objects.get()
    assert "SUP-9" in boss.get("/staff/grants/").content.decode()
    assert boss.post(f"/staff/grants/{grant.id}/decide/", {"decision": "approve"}).status_code == 302
    assert "Open name and address" in desk_.get(f"/staff/grants/{grant.id}/").content.decode()
    assert NAME in desk_.post(f"/staff/grants/{grant.id}/details/").content.decode()
    for bad in ({"minutes": "many"}, {"minutes": "9" * 400}, {"subject": "x"}, {"starts_at": "soon"}):
        assert desk_.post("/staff/grants/ask/", {**form, **bad}).status_code in {403, 422}


def test_forged_fields_do_not_approve(customer, support):
    form = {
        "scope": "details", "subject": str(customer.id), "purpose": "support-request", "ticket": "SUP-9", "minutes": "30",
        "approved_at": "2020-01-01", "decided_by": str(uuid.uuid4()), "broke_glass": "1", "member": str(uuid.uuid4()),
    }  # fmt: skip
    assert at_desk(support).post("/staff/grants/ask/", form).status_code == 302
    grant = Grant.objects.get()
    assert (grant.approved_at, grant.decided_by_id, grant.broke_glass, grant.member_id) == (
        None,
        None,
        False,
        support.id,
    )


def test_a_customer_session_is_nobody_at_the_staff_door(customer):
    client = browser()
    client.post("/account/sign-in/", {"email": EMAIL, "password": "drei stille Haselnuesse 41"})
    assert client.get("/staff/").url == "/staff/sign-in/"
    assert client.post("/staff/grants/ask/").status_code == 403
