"""Signing up, confirming, signing in, resetting, leaving: the doors, and what they must not tell."""

import re

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test.utils import CaptureQueriesContext

from headshotly.accounts import links, patience, services
from headshotly.accounts.errors import InputRefused, LinkExpired, SignInRefused, TooManyAttempts
from headshotly.accounts.models import Customer, CustomerSession, SignInAttempt
from headshotly.audit.actor import VISITOR, Actor
from headshotly.policy import clock, configuration
from tests.accounts.conftest import EMAIL, NAME, PASSWORD, browser, mail_text, mails, make_customer, newest_link

pytestmark = pytest.mark.django_db(databases="__all__")
OTHER = "Xq7#pl0vbn2!Rt und mehr"


def sign_in(client, email=EMAIL, password=PASSWORD, **more):
    return client.post("/account/sign-in/", {"email": email, "password": password, **more})


def test_a_visitor_signs_up_confirms_and_is_in(db_all, client):
    answer = client.post("/account/sign-up/", {"name": NAME, "email": " ZOFIA@Example.org ", "password": PASSWORD})
    assert (answer.status_code, answer.url) == (302, "/account/check-mail/")
    assert sign_in(client).status_code == 401, "an unconfirmed address must not sign in"
    link = newest_link()
    assert client.post(link, {"password": "not the password"}).status_code == 422
    assert client.post(link, {"password": PASSWORD}).url == "/studio/"
    assert NAME in client.get("/account/settings/").content.decode()
    assert client.post(link, {"password": PASSWORD}).status_code == 410, "the link works once"
    assert client.post("/account/sign-out/").status_code == 302
    assert client.get("/account/settings/").status_code == 302


@pytest.mark.clause("3.2.a")
def test_no_column_session_or_link_holds_a_name_or_address(signed_in):
    signed_in.get("/account/settings/")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            content = repr([[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in cursor]).lower()
            for canary in ("zofia", "kanarkowska", "example.org"):
                assert canary not in content, table
    assert "zofia" not in newest_link_of_any().lower()
    assert b"zofia" not in b"".join(cookie.value.encode() for cookie in signed_in.cookies.values()).lower()


def newest_link_of_any() -> str:
    return " ".join(re.findall(r"https://\S+", " ".join(mail_text(path) for path in mails())))


@pytest.mark.clause("10.1")
def test_sign_up_answers_the_same_for_an_address_that_has_an_account(customer, client):
    fresh = client.post("/account/sign-up/", {"name": "A", "email": "new@example.org", "password": OTHER})
    known = client.post("/account/sign-up/", {"name": "A", "email": EMAIL, "password": OTHER})
    assert (fresh.status_code, fresh.url, fresh.content) == (known.status_code, known.url, known.content)
    assert "already" in str(mail_text(mails()[-1]))
    assert sign_in(client).status_code == 302, "the account keeps its password"


def test_reset_answers_the_same_for_an_unknown_address(customer, client):
    known = client.post("/account/reset/", {"email": EMAIL})
    unknown = client.post("/account/reset/", {"email": "nobody@example.org"})
    no_address = client.post("/account/reset/", {"email": "nonsense"})
    assert {(a.status_code, a.url) for a in (known, unknown, no_address)} == {(302, "/account/check-mail/")}


def test_an_unknown_address_costs_the_same_work_as_a_wrong_password(customer, monkeypatch):
    work = []
    real = hashers.get_hasher("default").__class__.decode
    monkeypatch.setattr(
        hashers.get_hasher("default").__class__, "decode", lambda self, encoded: work.append(1) or real(self, encoded)
    )
    costs = []
    for email in (EMAIL, "nobody@example.org"):  # once before it counts: the first ever makes the decoy
        with pytest.raises(SignInRefused):
            services.verify_sign_in(email=email, password="wrong wrong wrong", client="192.0.2.1")
    for email in (EMAIL, "nobody@example.org"):
        work.clear()
        with CaptureQueriesContext(connection) as queries, pytest.raises(SignInRefused) as refused:
            services.verify_sign_in(email=email, password="wrong wrong wrong", client="192.0.2.1")
        costs.append((len(work), len(queries), refused.value.sentence))
    assert costs[0] == costs[1]
    assert costs[0][0] > 0


def test_sign_up_takes_the_same_time_either_way(customer, monkeypatch):
    from headshotly.accounts import pace

    monkeypatch.setattr(pace, "STEADY_SECONDS", 0.3)
    took = []
    for email in (EMAIL, "fresh@example.org"):
        began = clock.monotonic()
        services.sign_up(actor=VISITOR, email=email, password=OTHER, name="A")
        took.append(clock.monotonic() - began)
    assert all(0.3 <= one < 0.6 for one in took), took


def test_failures_of_one_client_do_not_lock_out_another(customer):
    ours, theirs = browser(REMOTE_ADDR="192.0.2.1"), browser(REMOTE_ADDR="198.51.100.7")
    for _ in range(patience.SIGN_IN.free):
        assert sign_in(theirs, password="guess guess guess").status_code == 401
    assert sign_in(theirs, password="guess guess guess").status_code == 429
    assert sign_in(theirs).status_code == 429, "the right password must not be tried either"
    assert sign_in(ours).status_code == 302


def test_an_ipv6_household_is_one_client():
    assert patience.network("2001:db8:1:2:aaaa::1") == patience.network("2001:db8:1:2:bbbb::9")
    assert patience.network("2001:db8:1:2::1") != patience.network("2001:db8:1:3::1")
    assert patience.network("192.0.2.1") != patience.network("192.0.2.2")


def test_spraying_one_password_over_many_addresses_is_slowed_down(db_all, monkeypatch):
    monkeypatch.setattr(patience, "CLIENT", patience.Patience(free=6, longest=patience.CLIENT.longest))
    answers = [sign_in(browser(REMOTE_ADDR="192.0.2.9"), email=f"p{n}@example.org").status_code for n in range(9)]
    assert answers[:6] == [401] * 6
    assert 429 in answers[6:]


def test_waiting_is_enough_and_success_forgets(customer, monkeypatch):
    key = patience.key("test", "a")
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    for _ in range(patience.SIGN_IN.free):
        patience.spend(key, patience.SIGN_IN)
    with pytest.raises(TooManyAttempts):
        patience.spend(key, patience.SIGN_IN)
    monkeypatch.setattr(clock, "now", lambda: now + patience.SIGN_IN.longest)
    patience.spend(key, patience.SIGN_IN)
    patience.forget(key)
    assert not SignInAttempt.objects.filter(key=key).exists()


def test_nobody_is_flooded_with_mail(customer, client):
    before = len(mails())
    for _ in range(6):
        client.post("/account/reset/", {"email": EMAIL})
    assert len(mails()) - before <= services.MAILS_PER_ADDRESS


def test_one_client_cannot_send_mail_to_everybody(db_all, client, monkeypatch):
    monkeypatch.setattr(services, "MAILS_PER_CLIENT", 4)
    answers = [client.post("/account/reset/", {"email": f"v{n}@example.org"}).status_code for n in range(6)]
    assert answers == [302] * 4 + [429] * 2


def test_the_session_is_new_after_signing_in(customer, client):
    client.get("/account/sign-in/")
    session = client.session
    session["planted"] = 1
    session.save()
    planted = session.session_key
    client.cookies["__Host-session"] = planted
    assert sign_in(client).status_code == 302
    assert client.cookies["__Host-session"].value != planted
    attacker = browser()
    attacker.cookies["__Host-session"] = planted
    assert attacker.get("/account/settings/").status_code == 302


def test_the_table_of_sessions_opens_no_session(signed_in, customer):
    kept = CustomerSession.objects.get(subject=customer.id).session_key
    assert kept != signed_in.cookies["__Host-session"].value
    thief = browser()
    thief.cookies["__Host-session"] = kept
    assert thief.get("/account/settings/").status_code == 302


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_goes_nowhere_else(customer, client, wanted):
    answer = sign_in(client, next=wanted)
    # Where the inspection of requests does not refuse it first, the page does.
    assert answer.status_code == 403 or answer.url == "/studio/"
    assert sign_in(browser(), next="/account/settings/").url == "/account/settings/"


def test_a_form_without_its_token_is_refused(customer):
    strict = browser(strict=True)
    assert sign_in(strict).status_code == 403
    assert strict.post("/account/sign-out/").status_code == 403


def test_a_foreign_host_header_is_refused(client):
    assert client.get("/account/sign-in/", HTTP_HOST="evil.example").status_code == 400


def test_fields_that_are_not_asked_for_change_nothing(db_all, client):
    client.post(
        "/account/sign-up/",
        {"name": NAME, "email": EMAIL, "password": PASSWORD, "confirmed_at": "2020-01-01", "is_active": "", "id": "1"},
    )
    made = Customer.objects.get()
    assert made.confirmed_at is None
    assert made.is_active


def test_resetting_ends_every_session_and_tells_the_customer(signed_in, customer):
    other = browser()
    other.post("/account/reset/", {"email": EMAIL})
    link = newest_link()
    assert other.post(link, {"password": "short"}).status_code == 422
    assert other.post(link, {"password": PASSWORD}).status_code == 422, "the old password again"
    assert other.post(link, {"password": OTHER}).url == "/account/sign-in/"
    assert "password was set" in mail_text(mails()[-1])
    assert signed_in.get("/account/settings/").status_code == 302
    assert other.post(link, {"password": "one more Good one 77"}).status_code == 410, "the link works once"
    assert sign_in(other, password=OTHER).status_code == 302


def test_an_earlier_password_is_not_accepted_again(customer):
    services.change_password(customer=customer, current=PASSWORD, password=OTHER)
    with pytest.raises(InputRefused, match="before"):
        services.change_password(customer=customer, current=OTHER, password=PASSWORD)


@pytest.mark.parametrize("purpose", ["confirm", "reset", "address"])
def test_links_expire_and_do_not_change_their_purpose(customer, purpose, monkeypatch):
    Customer.objects.update(confirmed_at=None)
    customer.refresh_from_db()
    token = links.make(customer, purpose)
    assert links.read(token, purpose) == customer
    for other in {"confirm", "reset", "address"} - {purpose}:
        with pytest.raises(LinkExpired):
            links.read(token, other)
    with pytest.raises(LinkExpired):
        links.read(token[:-1] + ("a" if token[-1] != "a" else "b"), purpose)
    import time

    later = time.time() + 4 * 24 * 3600
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    with pytest.raises(LinkExpired):
        links.read(token, purpose)


def test_a_new_address_counts_once_its_link_was_opened(signed_in, customer):
    signed_in.post("/account/settings/", {"email": "new@example.org", "proof": PASSWORD})
    link = newest_link()
    assert sign_in(browser()).status_code == 302, "until then the old one signs in"
    assert signed_in.post(link).url == "/account/settings/"
    told = mails()[-1]
    assert "another e-mail address" in mail_text(told)
    assert EMAIL in told.read_text()
    assert sign_in(browser()).status_code == 401
    assert sign_in(browser(), email="new@example.org").status_code == 302
    assert signed_in.post(link).status_code == 410


def test_an_address_somebody_has_cannot_be_taken(signed_in, customer):
    make_customer(email="taken@example.org", password=OTHER)
    answer = signed_in.post("/account/settings/", {"email": "taken@example.org", "proof": PASSWORD})
    assert answer.url == "/account/settings/"
    assert "already" in mail_text(mails()[-1])


def test_changing_the_address_asks_for_the_password(signed_in):
    answer = signed_in.post("/account/settings/", {"email": "new@example.org", "proof": "guess"})
    assert answer.status_code == 422


def test_an_address_link_of_another_account_is_refused(signed_in, customer):
    signed_in.post("/account/settings/", {"email": "new@example.org", "proof": PASSWORD})
    link = newest_link()
    make_customer(email="other@example.org", password=OTHER)
    other = browser()
    sign_in(other, email="other@example.org", password=OTHER)
    assert other.post(link).status_code == 410


@pytest.mark.clause("10.1")
def test_a_breached_password_is_pointed_out_at_sign_in_and_only_then(customer, client, tmp_path, monkeypatch):
    import hashlib

    assert sign_in(client).url == "/studio/"
    path = tmp_path / "pwned"
    path.write_text(hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper() + ":9\n")
    monkeypatch.setitem(configuration.current().options, "passwords.breached", str(path))
    assert sign_in(browser()).url == "/account/settings/"


def test_leaving_removes_the_row_and_the_sessions(signed_in, customer):
    services.delete_account(actor=Actor(kind="customer", id=customer.id), subject=customer.id)
    assert not Customer.objects.filter(id=customer.id).exists()
    assert not CustomerSession.objects.filter(subject=customer.id).exists()
    assert signed_in.get("/account/settings/").status_code == 302


def test_a_stranger_signing_up_first_does_not_get_the_account(db_all, client):
    """Somebody opens an account with another's address and waits for them to open the link."""
    services.sign_up(actor=VISITOR, email=EMAIL, password=OTHER, name="Mallory")
    services.sign_up(actor=VISITOR, email=EMAIL, password=PASSWORD, name=NAME)
    assert client.post(newest_link(), {"password": OTHER}).status_code == 422
    assert client.post(newest_link(), {"password": PASSWORD}).status_code == 302
    assert sign_in(browser(), password=OTHER).status_code == 401


@pytest.mark.clause("10.1")
def test_using_up_one_kind_of_mail_takes_no_other_from_its_owner(customer, client):
    stranger = browser(REMOTE_ADDR="198.51.100.7")
    for _ in range(services.MAILS_PER_ADDRESS + 2):
        stranger.post("/account/sign-up/", {"name": "Some Body", "email": EMAIL, "password": OTHER})
    before = len(mails())
    client.post("/account/reset/", {"email": EMAIL})
    assert len(mails()) == before + 1
    assert "/account/reset/" in newest_link()


def test_a_breach_list_that_cannot_be_read_keeps_nobody_out(customer, tmp_path, monkeypatch):
    monkeypatch.setitem(configuration.current().options, "passwords.breached", str(tmp_path / "gone"))
    assert sign_in(browser()).url == "/studio/"
    answer = browser().post("/account/sign-up/", {"name": "Some Body", "email": "n@example.org", "password": OTHER})
    assert answer.status_code == 503
    assert "cannot be checked" in answer.content.decode()


def test_challenges_are_not_handed_out_without_end(db_all, monkeypatch):
    monkeypatch.setattr(patience, "ASKED_MOST", 3)
    for address in ("/account/sign-in/passkey/options/", "/staff/sign-in/options/"):
        SignInAttempt.objects.all().delete()
        flood, other = browser(REMOTE_ADDR="198.51.100.7"), browser(REMOTE_ADDR="198.51.100.8")
        assert [flood.post(address).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        assert other.post(address).status_code == 200
