"""Authenticator app, passkeys, recovery codes, sessions, and asking again (clause 10.2)."""

import hashlib
import math
import re
import threading

import pyotp
import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from headshotly.access.warrants import service_warrant
from headshotly.accounts import ceremonies, entering, recovery, second_factor, totp
from headshotly.accounts.errors import InputRefused, PasskeyRefused, TooManyAttempts
from headshotly.accounts.models import Customer, CustomerSession, Passkey, PasskeyChallenge
from headshotly.policy import clock, configuration
from tests.accounts.authenticator import USER_PRESENT, Authenticator
from tests.accounts.conftest import EMAIL, PASSWORD, browser, mail_text, mails, make_customer

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("10.2")]
OTHER = "Xq7#pl0vbn2!Rt und mehr"


def sign_in(client, email=EMAIL, password=PASSWORD, **more):
    return client.post("/account/sign-in/", {"email": email, "password": password, **more})


def warrant(customer):
    return service_warrant(subject=customer.id, purpose="second-factor")


def enrol(client) -> tuple[str, list[str]]:
    page = client.get("/account/protection/app/").content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]
    answer = client.post("/account/protection/app/", {"code": pyotp.TOTP(secret).now()})
    codes = re.findall(r"<li><code>([a-z0-9-]+)</code></li>", answer.content.decode())
    return secret, codes


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).at(int(clock.now().timestamp()))


def test_an_app_is_enrolled_and_then_asked_for(signed_in, customer, later):
    secret, codes = enrol(signed_in)
    assert len(codes) == recovery.HOW_MANY
    assert "authenticator app" in mail_text(mails()[-1])
    client = browser()
    assert sign_in(client, next="/account/settings/").url == "/account/sign-in/second/"
    assert client.get("/account/settings/").status_code == 302, "the password alone is not enough"
    later(seconds=60)
    answer = client.post("/account/sign-in/second/", {"code": code_of(secret)})
    assert answer.url == "/account/settings/"
    assert client.get("/account/settings/").status_code == 200


def test_a_code_works_once(signed_in, customer, later):
    secret, _ = enrol(signed_in)
    customer.refresh_from_db()
    assert not second_factor.use_totp(customer=customer, code=code_of(secret), warrant=warrant(customer))
    later(seconds=30)
    code = code_of(secret)
    assert second_factor.use_totp(customer=customer, code=code, warrant=warrant(customer))
    assert not second_factor.use_totp(customer=customer, code=code, warrant=warrant(customer))


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_of_two_simultaneous_requests_with_one_code_one_gets_in(monkeypatch):
    customer = make_customer()
    secret = pyotp.random_base32()
    second_factor.enrol_totp(customer=customer, secret=secret, code=pyotp.TOTP(secret).now())
    Customer.objects.update(totp_last_step=0)
    customer.refresh_from_db()
    code, gate, outcomes = code_of(secret), threading.Barrier(4), []

    def attempt() -> None:
        permit = warrant(customer)
        gate.wait()
        outcomes.append(second_factor.use_totp(customer=customer, code=code, warrant=permit))
        connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, False, True]


@given(st.text(max_size=10))
def test_nonsense_is_no_code(typed):
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    right = {pyotp.TOTP(secret).at(int(clock.now().timestamp()) + 30 * n) for n in (-2, -1, 0, 1, 2)}
    assert "".join(typed.split()) in right or totp.matching_step(secret, typed) is None


def test_a_recovery_code_works_once_however_it_is_spelled(signed_in, customer):
    _, codes = enrol(signed_in)
    spelled = codes[0].upper().replace("-", " ")
    client = browser()
    sign_in(client)
    assert client.post("/account/sign-in/second/", {"code": spelled}).url == "/studio/"
    again = browser()
    sign_in(again)
    assert again.post("/account/sign-in/second/", {"code": codes[0]}).status_code == 422
    assert second_factor.codes_left(customer) == recovery.HOW_MANY - 1


def test_recovery_codes_of_another_account_and_old_ones_do_not_work(signed_in, customer):
    _, codes = enrol(signed_in)
    stranger = make_customer("other@example.org", OTHER)
    assert not second_factor.use_recovery_code(customer=stranger, code=codes[0])
    second_factor.renew_codes(customer=customer)
    assert not second_factor.use_recovery_code(customer=customer, code=codes[0])


def test_recovery_codes_have_enough_entropy():
    codes = {code for _ in range(20) for code in recovery.new_codes()}
    assert len(codes) == 200
    assert all(len(code.replace("-", "")) * math.log2(len(recovery._LETTERS)) >= 112 for code in codes)
    assert len({letter for code in codes for letter in code} - {"-"}) == len(recovery._LETTERS)


def test_a_reset_password_still_needs_the_second_factor(signed_in, customer):
    enrol(signed_in)
    other = browser()
    other.post("/account/reset/", {"email": EMAIL})
    link = re.search(r"https://localhost:\d+(/account/reset/\S+)", mail_text(mails()[-1]))[1]
    assert other.post(link, {"password": OTHER}).status_code == 302
    assert sign_in(other, password=OTHER).url == "/account/sign-in/second/"
    assert other.get("/account/settings/").status_code == 302


def test_guessing_codes_is_slowed_down(signed_in, customer):
    enrol(signed_in)
    customer.refresh_from_db()
    for _ in range(5):
        with pytest.raises(InputRefused):
            second_factor.answer(customer=customer, code="000000x", passkey="", warrant=warrant(customer))
    with pytest.raises(TooManyAttempts):
        second_factor.answer(customer=customer, code="000000x", passkey="", warrant=warrant(customer))


def test_half_a_sign_in_does_not_last(signed_in, customer, later):
    secret, _ = enrol(signed_in)
    client = browser()
    sign_in(client)
    later(minutes=6)
    assert client.post("/account/sign-in/second/", {"code": code_of(secret)}).url == "/account/sign-in/"


def test_a_changed_password_ends_half_a_sign_in(signed_in, customer, later):
    from headshotly.accounts import services

    secret, _ = enrol(signed_in)
    client = browser()
    sign_in(client)
    services.change_password(customer=customer, current=PASSWORD, password=OTHER)
    later(seconds=60)
    assert client.post("/account/sign-in/second/", {"code": code_of(secret)}).url == "/account/sign-in/"


def test_removing_the_last_factor_removes_its_codes(signed_in, customer):
    enrol(signed_in)
    assert signed_in.post("/account/protection/app/remove/").status_code == 302
    customer.refresh_from_db()
    assert not second_factor.needed(customer)
    assert second_factor.codes_left(customer) == 0


def test_a_passkey_signs_in_by_itself(signed_in, customer):
    key = Authenticator()
    options = signed_in.post("/account/protection/passkeys/options/").content.decode()
    assert EMAIL not in options
    answer = signed_in.post("/account/protection/passkeys/", {"passkey": key.register(options)})
    assert b"Write these down" in answer.content
    client = browser()
    options = client.post("/account/sign-in/passkey/options/").content.decode()
    answer = client.post("/account/sign-in/passkey/", {"passkey": key.sign(options), "next": "/account/settings/"})
    assert answer.url == "/account/settings/"
    assert client.get("/account/settings/").status_code == 200


def test_a_passkey_is_a_second_factor_after_the_password(signed_in, customer):
    key = Authenticator()
    signed_in.post(
        "/account/protection/passkeys/",
        {"passkey": key.register(signed_in.post("/account/protection/passkeys/options/").content.decode())},
    )
    client = browser()
    assert sign_in(client).url == "/account/sign-in/second/"
    options = client.post("/account/sign-in/second/options/").content.decode()
    assert client.post("/account/sign-in/second/", {"passkey": key.sign(options)}).url == "/studio/"


@pytest.fixture
def passkey(customer) -> Authenticator:
    key = Authenticator()
    second_factor.add_passkey(customer=customer, answer=key.register(second_factor.passkey_to_register(customer)))
    return key


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"flags": USER_PRESENT},
        {"flags": 0x04},
        {"user": b"x" * 16},
        {"counted": False},
    ],
)
def test_a_passkey_that_is_not_right_in_every_part_is_refused(customer, passkey, lie):
    second_factor.use_passkey(answer=passkey.sign(second_factor.passkey_to_ask(None)), about=None)
    with pytest.raises(PasskeyRefused):
        second_factor.use_passkey(answer=passkey.sign(second_factor.passkey_to_ask(None), **lie), about=None)


def test_a_passkey_of_another_account_is_refused(customer, passkey):
    stranger = make_customer("other@example.org", OTHER)
    theirs = Authenticator()
    second_factor.add_passkey(customer=stranger, answer=theirs.register(second_factor.passkey_to_register(stranger)))
    with pytest.raises(PasskeyRefused):
        second_factor.use_passkey(answer=theirs.sign(second_factor.passkey_to_ask(customer)), about=customer)
    theirs.credential_id, theirs.user = passkey.credential_id, passkey.user
    with pytest.raises(PasskeyRefused):  # the other's key under our passkey's name
        second_factor.use_passkey(answer=theirs.sign(second_factor.passkey_to_ask(None)), about=None)
    with pytest.raises(PasskeyRefused):  # an existing id cannot be registered by somebody else
        second_factor.add_passkey(
            customer=stranger, answer=theirs.register(second_factor.passkey_to_register(stranger))
        )


def test_an_answer_counts_once_and_for_its_own_ceremony(customer, passkey):
    options = second_factor.passkey_to_ask(None)
    answer = passkey.sign(options)
    with pytest.raises(PasskeyRefused):
        second_factor.use_passkey(answer=answer, about=customer)
    assert second_factor.use_passkey(answer=answer, about=None) == customer
    with pytest.raises(PasskeyRefused):
        second_factor.use_passkey(answer=answer, about=None)


def test_an_old_challenge_is_refused_and_swept(customer, passkey, later):
    answer = passkey.sign(second_factor.passkey_to_ask(None))
    later(minutes=6)
    with pytest.raises(PasskeyRefused):
        second_factor.use_passkey(answer=answer, about=None)
    second_factor.passkey_to_ask(None)
    assert PasskeyChallenge.objects.count() == 1


def test_an_unverified_user_cannot_register_a_passkey(customer):
    answer = Authenticator().register(second_factor.passkey_to_register(customer), flags=USER_PRESENT)
    with pytest.raises(PasskeyRefused):
        second_factor.add_passkey(customer=customer, answer=answer)
    assert not Passkey.objects.exists()


@given(answer=st.text(max_size=200) | st.just("[]") | st.just('{"id": 5, "response": {}}') | st.just("{" * 30_000))
def test_nonsense_is_no_passkey(answer):
    with pytest.raises(PasskeyRefused):
        ceremonies.credential_id(answer) and ceremonies._spend_challenge(ceremonies._parsed(answer), "x", None)


def test_what_weakens_an_account_asks_again_who_it_is(signed_in, customer, later):
    later(minutes=11)
    for path in ("app/", "app/remove/", "codes/", "passkeys/options/", "passkeys/", "passkeys/remove/"):
        answer = signed_in.post(f"/account/protection/{path}")
        assert answer.url.startswith("/account/prove/"), path
    assert signed_in.post("/account/prove/", {"password": "guess guess"}).status_code == 422
    answer = signed_in.post("/account/prove/", {"password": PASSWORD, "next": "https://evil.example/"})
    assert answer.url == "/studio/"
    assert signed_in.get("/account/protection/app/").status_code == 200


def test_a_session_ends_by_its_age_however_busy_it_is(signed_in, later):
    for _ in range(29):
        later(days=1)
        assert signed_in.get("/account/settings/").status_code == 200
    later(days=1)
    assert signed_in.get("/account/settings/").status_code == 302
    assert signed_in.get("/account/settings/").status_code == 302


def test_an_idle_session_ends(signed_in, later):
    later(days=15)
    assert signed_in.get("/account/settings/").status_code == 302


def test_proving_again_gives_the_session_a_new_key(signed_in):
    before = signed_in.cookies["__Host-session"].value
    signed_in.post("/account/prove/", {"password": PASSWORD})
    assert signed_in.cookies["__Host-session"].value != before


def test_a_thief_of_a_session_cannot_guess_the_password_there(signed_in, later):
    answers = [signed_in.post("/account/prove/", {"password": f"guess {n}"}).status_code for n in range(7)]
    assert answers[:5] == [422] * 5
    assert answers[5:] == [429, 429]


def test_sessions_are_listed_and_ended(signed_in, customer):
    phone = browser(HTTP_USER_AGENT="Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/605")
    sign_in(phone)
    page = signed_in.get("/account/protection/").content.decode()
    assert "Safari · iPhone" in page
    kept = CustomerSession.objects.get(device="Safari · iPhone").session_key
    stranger = make_customer("other@example.org", OTHER)
    other = browser()
    sign_in(other, "other@example.org", OTHER)
    other.post("/account/sessions/end/", {"session": kept})
    assert phone.get("/account/settings/").status_code == 200, "another's session is not theirs to end"
    assert stranger.id != customer.id
    signed_in.post("/account/sessions/end/", {"session": kept})
    assert phone.get("/account/settings/").status_code == 302
    assert signed_in.get("/account/settings/").status_code == 200


def test_a_sign_in_from_somewhere_new_is_told_by_mail_once(customer):
    client = browser(HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0")
    sign_in(client)
    assert "Firefox · Linux" in mail_text(mails()[-1])
    before = len(mails())
    client.post("/account/sign-out/")
    sign_in(client)
    assert len(mails()) == before
    forged = browser()
    forged.cookies[entering.KNOWN_COOKIE] = "forged:value:x"
    sign_in(forged)
    assert len(mails()) == before + 1


@pytest.mark.clause("10.2")
def test_a_passkey_proves_again_who_it_is_and_only_ones_own(signed_in, customer, passkey, later):
    later(minutes=11)
    assert signed_in.get("/account/protection/app/").status_code == 302
    assert "Use a passkey" in signed_in.get("/account/prove/").content.decode()
    stranger = make_customer("other@example.org", OTHER)
    theirs = Authenticator()
    second_factor.add_passkey(customer=stranger, answer=theirs.register(second_factor.passkey_to_register(stranger)))
    options = signed_in.post("/account/prove/options/").content.decode()
    answer = signed_in.post("/account/prove/", {"passkey": theirs.sign(options), "next": "/account/protection/app/"})
    assert answer.status_code == 422
    assert "was not accepted" in answer.content.decode()
    for_the_door = passkey.sign(second_factor.passkey_to_ask(None))
    assert signed_in.post("/account/prove/", {"passkey": for_the_door}).status_code == 422
    right = passkey.sign(signed_in.post("/account/prove/options/").content.decode())
    answer = signed_in.post("/account/prove/", {"passkey": right, "next": "/account/protection/app/"})
    assert answer.url == "/account/protection/app/"
    assert signed_in.get("/account/protection/app/").status_code == 200


@pytest.mark.clause("10.1")
def test_a_thief_of_the_password_guessing_codes_does_not_make_the_owner_wait(signed_in, customer):
    enrol(signed_in)
    client = signed_in
    thief = browser(REMOTE_ADDR="198.51.100.7")
    sign_in(thief)
    assert [thief.post("/account/sign-in/second/", {"code": "000000"}).status_code for _ in range(6)][-1] == 429
    client.post("/account/sign-out/")
    sign_in(client)
    assert client.post("/account/sign-in/second/", {"code": "no code"}).status_code == 422  # heard, not told to wait


@pytest.mark.clause("10.1")
def test_a_breached_password_is_pointed_out_after_the_second_factor_too(customer, passkey, tmp_path, monkeypatch):
    path = tmp_path / "pwned"
    path.write_text(hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper() + ":9\n")
    monkeypatch.setitem(configuration.current().options, "passwords.breached", str(path))
    client = browser()
    assert sign_in(client).url == "/account/sign-in/second/"
    options = client.post("/account/sign-in/second/options/").content.decode()
    assert client.post("/account/sign-in/second/", {"passkey": passkey.sign(options)}).url == "/account/settings/"
    assert "known from a breach" in client.get("/account/settings/").content.decode()
