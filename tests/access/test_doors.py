"""The staff door: enrolment, two factors, passkeys, proving again, sessions (clause 2.4.b); machines and reviews."""

import datetime as dt
import threading

import pytest
from django.db import connections

from headshotly.access import machines, members, passkeys, reviews, rights, services
from headshotly.access.errors import (
    EnrolmentRefused,
    GrantRefused,
    HandleTaken,
    PermissionMissing,
    StaffSignInRefused,
    TokenRefused,
)
from headshotly.access.middleware import STAFF_COOKIE
from headshotly.access.models import ApiToken, RightUse, StaffMember, StaffSession
from headshotly.accounts import second_factor
from headshotly.accounts.errors import InputRefused, PasskeyRefused, TooManyAttempts
from headshotly.audit.actor import SYSTEM
from headshotly.policy import clock
from tests.access.conftest import PASSWORD, at_desk, browser, code_for, make_member, token_of
from tests.accounts.authenticator import USER_PRESENT, Authenticator

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("2.4.b")]


@pytest.fixture
def member(db_all):
    return make_member("support")


def sign_in(client, member, **wrong):
    form = {"handle": member.handle, "password": PASSWORD, "code": code_for(member.secret), **wrong}
    return client.post("/staff/sign-in/", form)


def test_the_first_member_is_made_once(db_all):
    assert "/staff/enrol/" in services.ensure_first_staff()
    assert services.ensure_first_staff() is None


def test_enrolling_takes_a_good_password_and_the_apps_code_and_works_once(db_all):
    link = services.create_staff(actor=SYSTEM, handle="ada", role="support")
    token = token_of(link)
    client, secret = browser(), services.totp_secret(token)
    assert secret in client.get(link.partition("8443")[2]).content.decode()
    assert client.get(f"/staff/enrol/{token}/code.svg")["Content-Type"] == "image/svg+xml"
    for wrong in ({"password": "short"}, {"code": "000000"}, {"password": "aaaaaaaaaaaaaaaa"}):
        assert (
            client.post(f"/staff/enrol/{token}/", {"password": PASSWORD, "code": code_for(secret), **wrong}).status_code
            == 422
        )
    assert (
        client.post(f"/staff/enrol/{token}/", {"password": PASSWORD, "code": code_for(secret)}).url == "/staff/sign-in/"
    )
    assert client.get(f"/staff/enrol/{token}/").status_code == 410


def test_before_enrolment_there_is_nothing_to_sign_in_with(db_all):
    services.create_staff(actor=SYSTEM, handle="ada", role="support")
    with pytest.raises(StaffSignInRefused):
        services.sign_in(handle="ada", password="", code="")


def test_an_enrolment_link_expires(db_all, later):
    token = token_of(services.create_staff(actor=SYSTEM, handle="ada", role="support"))
    later(hours=25)
    with pytest.raises(EnrolmentRefused):
        services.member_of_link(token)


@pytest.mark.parametrize(("handle", "role"), [("Ada", "support"), ("a", "support"), ("ada", "king"), ("../x", "dpo")])
def test_handles_and_roles_are_checked(db_all, handle, role):
    with pytest.raises(HandleTaken):
        services.create_staff(actor=SYSTEM, handle=handle, role=role)


def test_all_three_must_be_right_and_the_answer_does_not_say_which(member, later):
    later(seconds=60)
    answers = {
        (answer.status_code, answer.content.split(b"csrf")[0])
        for wrong in ({"handle": "nobody"}, {"password": "wrong wrong wrong"}, {"code": "000000"})
        for answer in [sign_in(browser(), member, **wrong)]
    }
    assert {status for status, _ in answers} == {401}
    assert sign_in(browser(), member).url == "/staff/"


def test_a_staff_code_works_once(member, later):
    later(seconds=60)
    assert sign_in(browser(), member).status_code == 302
    assert sign_in(browser(), member).status_code == 401


def test_a_stranger_guessing_does_not_lock_a_member_out(member, later):
    later(seconds=60)
    stranger = browser(REMOTE_ADDR="198.51.100.9")
    for _ in range(5):
        sign_in(stranger, member, password="guess guess guess")
    assert sign_in(stranger, member).status_code == 429
    assert sign_in(browser(REMOTE_ADDR="192.0.2.1"), member).status_code == 302


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_of_two_simultaneous_sign_ins_with_one_code_one_gets_in():
    member = make_member("support")
    StaffMember.objects.update(totp_last_step=0)
    code, gate, outcomes = code_for(member.secret), threading.Barrier(2), []

    def attempt(client: str) -> None:
        gate.wait()
        try:
            services.sign_in(handle=member.handle, password=PASSWORD, code=code, client=client)
            outcomes.append(True)
        except StaffSignInRefused:
            outcomes.append(False)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=attempt, args=(f"192.0.2.{n}",)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, True]


def test_sessions_end_by_idling_by_age_and_by_signing_out(member, later):
    idle, old, out = at_desk(member), at_desk(member), at_desk(member)
    assert out.post("/staff/sign-out/").status_code == 302
    assert out.get("/staff/").status_code == 302
    later(minutes=31)
    assert idle.get("/staff/").status_code == 302
    for _ in range(17):
        later(minutes=29)
        if old.get("/staff/").status_code == 302:
            break
    else:
        pytest.fail("a session that never idles must end by its age")
    assert not StaffSession.objects.filter(expires_at__gt=clock.now()).exists()


def test_the_table_of_sessions_opens_no_session(member):
    at_desk(member)
    thief = browser()
    thief.cookies[STAFF_COOKIE] = bytes(StaffSession.objects.get().token_sha256).hex()
    assert thief.get("/staff/").status_code == 302


def test_sensitive_acts_ask_for_the_second_factor_again(member, later):
    client = at_desk(member)
    later(minutes=11)
    form = {"scope": "act:restore", "purpose": "fault-analysis", "ticket": "OPS-1", "minutes": "30"}
    assert client.post("/staff/grants/ask/", form).url.startswith("/staff/prove/")
    assert client.post("/staff/prove/", {"code": "000000"}).status_code == 401
    before = client.cookies[STAFF_COOKIE].value
    assert client.post("/staff/prove/", {"code": code_for(member.secret), "next": "//evil.example"}).url == "/staff/"
    assert client.cookies[STAFF_COOKIE].value != before
    assert client.post("/staff/grants/ask/", form).url == "/staff/grants/"


def test_a_thief_of_a_session_cannot_guess_the_code(member):
    session = services.session_of(at_desk(member).cookies[STAFF_COOKIE].value)
    for _ in range(5):
        with pytest.raises(StaffSignInRefused):
            services.prove(session=session, code="000000")
    with pytest.raises(TooManyAttempts):
        services.prove(session=session, code=code_for(member.secret))


def test_a_passkey_signs_in_and_a_customers_passkey_does_not(member, customer):
    key, desk = Authenticator(), at_desk(member)
    options = desk.post("/staff/passkeys/options/").content.decode()
    assert desk.post("/staff/passkeys/", {"passkey": key.register(options)}).url == "/staff/"
    client = browser()
    asked = client.post("/staff/sign-in/options/").content.decode()
    assert client.post("/staff/sign-in/", {"passkey": key.sign(asked)}).url == "/staff/"
    assert client.get("/staff/").status_code == 200
    theirs = Authenticator()
    second_factor.add_passkey(customer=customer, answer=theirs.register(second_factor.passkey_to_register(customer)))
    for answer in (theirs.sign(passkeys.to_ask(None)), key.sign(second_factor.passkey_to_ask(None))):
        with pytest.raises(PasskeyRefused):
            services.sign_in_by_passkey(answer=answer)
    with pytest.raises(PasskeyRefused):
        second_factor.use_passkey(answer=key.sign(second_factor.passkey_to_ask(None)), about=None)
    with pytest.raises(PasskeyRefused):
        services.sign_in_by_passkey(answer=key.sign(passkeys.to_ask(None), flags=USER_PRESENT))


@pytest.mark.clause("2.4.b")
def test_a_member_enrols_with_a_passkey_alone_and_the_link_works_once(db_all):
    key, client = Authenticator(), browser()
    token = token_of(services.create_staff(actor=SYSTEM, handle="keyed", role="support"))
    options = client.post(f"/staff/enrol/{token}/options/").content.decode()
    wrong = Authenticator().sign(passkeys.to_ask(None))
    assert client.post(f"/staff/enrol/{token}/", {"passkey": wrong}).status_code == 422
    assert not StaffMember.objects.get(handle="keyed").enrolled_at
    options = client.post(f"/staff/enrol/{token}/options/").content.decode()
    assert client.post(f"/staff/enrol/{token}/", {"passkey": key.register(options)}).url == "/staff/sign-in/"
    assert client.post(f"/staff/enrol/{token}/options/").status_code == 410
    asked = client.post("/staff/sign-in/options/").content.decode()
    assert client.post("/staff/sign-in/", {"passkey": key.sign(asked)}).url == "/staff/"
    empty = {"handle": "keyed", "password": "", "code": ""}
    assert browser().post("/staff/sign-in/", empty).status_code == 401
    assert client.post("/staff/prove/", {"code": "123456"}).status_code == 401


@pytest.mark.clause("2.4.b")
def test_the_passkey_buttons_of_the_staff_door_have_their_script(db_all):
    token = token_of(services.create_staff(actor=SYSTEM, handle="keyed", role="support"))
    for address in ("/staff/sign-in/", f"/staff/enrol/{token}/"):
        assert "accounts/passkeys.js" in browser().get(address).content.decode()


def test_a_reset_member_has_no_passkey_any_more(member):
    key = Authenticator()
    passkeys.add(member=member, answer=key.register(passkeys.to_register(member)))
    services.enrol_again(actor=SYSTEM, member=member)
    with pytest.raises(PasskeyRefused):
        services.sign_in_by_passkey(answer=key.sign(passkeys.to_ask(None)))


@pytest.mark.clause("2.4.a")
class TestMachines:
    @pytest.fixture
    def token(self, db_all):
        boss = make_member("operations")
        account = machines.create(member=boss, name="robot")
        return machines.issue(member=boss, account_id=account.id, rights=["self.read"], days=30)

    def call(self, path: str, token: str, scheme: str = "Bearer") -> int:
        return browser(HTTP_AUTHORIZATION=f"{scheme} {token}").get(path).status_code

    def test_a_token_opens_its_scope_and_nothing_else(self, token, later):
        assert self.call("/staff/api/self/", token) == 200
        assert self.call("/staff/api/journal/", token) == 401
        assert self.call("/staff/", token) == 302
        assert self.call("/staff/api/self/", token, "Basic") == 401
        assert self.call("/staff/api/self/", token[:-1]) == 401
        assert ApiToken.objects.get().last_used_at is not None
        later(days=30)
        assert self.call("/staff/api/self/", token) == 401

    def test_a_revoked_token_opens_nothing(self, token):
        row = ApiToken.objects.get()
        assert token.encode() not in bytes(row.token_sha256)
        machines.revoke(member=make_member("operations", "two"), token_sha256=bytes(row.token_sha256))
        assert self.call("/staff/api/self/", token) == 401

    @pytest.mark.parametrize("wrong", [{"rights": []}, {"rights": ["people.write"]}, {"days": 0}, {"days": 366}])
    def test_a_token_beyond_what_a_program_may_have_is_not_issued(self, token, wrong):
        boss = StaffMember.objects.get()
        account = machines.accounts()[0]
        with pytest.raises(TokenRefused):
            machines.issue(member=boss, account_id=account.id, **{"rights": ["self.read"], "days": 1, **wrong})

    def test_the_console_shows_the_token_once(self, db_all):
        client = at_desk(make_member("operations"))
        client.post("/staff/machines/add/", {"name": "witness"})
        account = machines.accounts()[0]
        page = client.post(f"/staff/machines/{account.id}/tokens/", {"rights": ["journal.read"], "days": "7"})
        assert machines.PREFIX in page.content.decode()
        listed = client.get("/staff/machines/").content.decode()
        assert machines.PREFIX not in listed
        assert "never" in listed


@pytest.mark.clause("2.4.a")
class TestReviews:
    def test_unused_rights_go_unless_kept_for_a_reason(self, member, later):
        boss = make_member("security-officer")
        later(days=91)
        members.require_right(member, "grants.ask")
        unused = {one.right: one for one in reviews.unused() if one.handle == member.handle}
        assert set(unused) == rights.of_role("support") - {"grants.ask"}
        reviews.record(reviewer=boss, kept={unused["customers.find"].key: "starts on the phones next week"})
        assert members.rights_of(member) == {"grants.ask", "customers.find"}
        with pytest.raises(PermissionMissing):
            members.require_right(member, "glass.break")
        assert reviews.due_at() - clock.now() > dt.timedelta(days=89)

    def test_nobody_keeps_an_unused_right_for_themselves(self, db_all, later):
        boss = make_member("security-officer")
        later(days=91)
        own = next(one for one in reviews.unused() if one.right == "grants.ask")
        with pytest.raises(GrantRefused):
            reviews.record(reviewer=boss, kept={own.key: "I like it"})

    def test_a_right_taken_by_mistake_is_given_back_by_somebody_else_with_a_reason(self, member, later):
        boss = make_member("security-officer")
        later(days=91)
        reviews.record(reviewer=boss, kept={})
        key = f"{member.id}:customers.find"
        desk = at_desk(make_member("dpo"))
        assert "is without customers.find" in desk.get("/staff/review/").content.decode()
        assert desk.post("/staff/review/give-back/", {"key": key, "reason": "no"}).status_code == 403
        assert (
            desk.post("/staff/review/give-back/", {"key": "nonsense", "reason": "back on the phones"}).status_code
            == 403
        )
        assert desk.post("/staff/review/give-back/", {"key": key, "reason": "back on the phones"}).status_code == 302
        assert "customers.find" in members.rights_of(member)
        assert key not in {one.key for one in reviews.unused()}
        with pytest.raises(GrantRefused):
            reviews.give_back(giver=boss, key=f"{boss.id}:grants.ask", reason="I want it back")

    def test_the_desk_says_that_a_review_is_due(self, db_all, later):
        boss = make_member("dpo")
        later(days=91)
        assert "Access review" in at_desk(boss).get("/staff/").content.decode()

    def test_new_members_are_not_judged_yet(self, member):
        assert reviews.unused() == []
        assert not RightUse.objects.exists()


def test_a_password_with_the_handle_in_it_is_refused(db_all):
    token = token_of(services.create_staff(actor=SYSTEM, handle="adalovelace", role="support"))
    with pytest.raises(InputRefused):
        services.enrol(token=token, password="adalovelace-1815-x", code="000000")
