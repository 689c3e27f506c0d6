"""Accounts: the same answer for everybody, links that work once, passwords worth having."""

import datetime as dt
from email import message_from_bytes, policy

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from headshotly.accounts import addresses, links, passwords, services
from headshotly.accounts.errors import InputRefused, LinkExpired, SignInRefused, TooManyAttempts
from headshotly.accounts.models import Customer
from headshotly.audit.actor import VISITOR
from headshotly.policy import clock, configuration
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])


def mails() -> list[tuple[str, str]]:
    paths = sorted(configuration.current().mail_folder.glob("*.eml"))
    found = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]
    return [(mail["Subject"], mail.get_content()) for mail in found]


@pytest.mark.clause("3.2.a")
def test_no_column_holds_an_address_or_name(person) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_customer")
        row = cursor.fetchone()
    text = " ".join(repr(bytes(value) if isinstance(value, memoryview) else value) for value in row)
    assert "ada" not in text.lower()
    assert "example" not in text.lower()


def test_signing_up_twice_gets_the_same_answer_and_one_account(person) -> None:
    services.sign_up(actor=VISITOR, email=" ADA@Example.org ", password="another long pass 77", name="Mallory")
    assert Customer.objects.count() == 1
    assert mails()[-1][0] == "You already have an account"
    assert services.verify_sign_in(email="ada@example.org", password=PASSWORD, client="a").id == person.id


def test_an_address_cannot_be_taken_by_signing_up_first(transactional_db) -> None:
    services.sign_up(actor=VISITOR, email="ada@example.org", password="nineteen grey herons", name="Mallory")
    services.sign_up(actor=VISITOR, email="ada@example.org", password=PASSWORD, name="Ada")
    customer = Customer.objects.get()
    token = links.make(customer, "confirm")
    with pytest.raises(InputRefused, match="not the password"):
        services.confirm(token=token, password="nineteen grey herons")
    services.confirm(token=token, password=PASSWORD)
    with pytest.raises(LinkExpired):
        services.confirm(token=token, password=PASSWORD)


def test_an_unconfirmed_account_cannot_sign_in(transactional_db) -> None:
    services.sign_up(actor=VISITOR, email="ada@example.org", password=PASSWORD, name="Ada")
    with pytest.raises(SignInRefused):
        services.verify_sign_in(email="ada@example.org", password=PASSWORD, client="a")


@pytest.mark.clause("10.1")
def test_wrong_address_and_wrong_password_get_one_answer(person) -> None:
    sentences = set()
    for email, password in (("ada@example.org", "x" * 12), ("bea@example.org", PASSWORD), ("no address", "y")):
        with pytest.raises(SignInRefused) as refused:
            services.verify_sign_in(email=email, password=password, client="a")
        sentences.add(refused.value.sentence)
    assert len(sentences) == 1


def test_guessing_is_slowed_for_the_guesser_only(person, monkeypatch) -> None:
    refusals = []
    for _ in range(30):
        with pytest.raises((SignInRefused, TooManyAttempts)) as refused:
            services.verify_sign_in(email=person.email, password="wrong", client="attacker")
        refusals.append(type(refused.value))
    assert TooManyAttempts in refusals
    with pytest.raises(TooManyAttempts):
        services.verify_sign_in(email=person.email, password=PASSWORD, client="attacker")
    assert services.verify_sign_in(email=person.email, password=PASSWORD, client="home").id == person.id
    later = clock.now() + dt.timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert services.verify_sign_in(email=person.email, password=PASSWORD, client="attacker").id == person.id


def test_a_reset_link_works_once_and_ends_other_sessions(person, client) -> None:
    client.force_login(Customer.objects.get())
    assert client.get("/account/settings/", secure=True).status_code == 200
    token = links.make(Customer.objects.get(), "reset")
    with pytest.raises(InputRefused, match="did not use here before"):
        services.reset_password(token=token, password=PASSWORD)
    services.reset_password(token=token, password="sechs rote Fahrraeder")
    with pytest.raises(LinkExpired):
        services.reset_password(token=token, password="sieben rote Fahrraeder")
    assert client.get("/account/settings/", secure=True).status_code == 302
    assert services.verify_sign_in(email=person.email, password="sechs rote Fahrraeder", client="a")


def test_a_link_is_for_one_purpose(person) -> None:
    token = links.make(Customer.objects.get(), "reset")
    with pytest.raises(LinkExpired):
        links.read(token, "confirm")
    for bad in ("", "x", token[:-2], token + "x"):
        with pytest.raises(LinkExpired):
            links.read(bad, "reset")


def test_a_reset_for_an_unknown_address_mails_the_truth_to_that_address(transactional_db) -> None:
    services.ask_reset(email="nobody@example.org")
    services.ask_reset(email="not an address")
    assert [subject for subject, _ in mails()] == ["There is no account with this address"]


@pytest.mark.clause("10.1")
@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "at least 12"),
        ("x" * 300, "at most 256"),
        ("aaaaaaaaaaaaa", "different characters"),
        ("ada-example-77", "leave your name"),
        ("1234567890qwertyuiop", "Please choose another"),
    ],
)
def test_weak_passwords_are_refused_in_plain_words(password: str, sentence: str) -> None:
    with pytest.raises(InputRefused, match=sentence):
        passwords.require_strong(password, about=("ada@example.org", "Ada Example"))


@given(st.text(max_size=300))
def test_no_text_crashes_the_address_check(text: str) -> None:
    try:
        spelled = addresses.normalise(text)
    except InputRefused:
        return
    assert addresses.normalise(spelled) == spelled


def test_the_session_key_changes_at_sign_in(person, client) -> None:
    client.get("/account/sign-in/", secure=True)
    session = client.session
    session["planted"] = "yes"
    session.save()
    fixed = session.session_key
    client.post("/account/sign-in/", {"email": person.email, "password": PASSWORD}, secure=True)
    assert client.session.session_key != fixed
    assert not Session.objects.filter(session_key=fixed).exists()


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_sign_in_sends_nobody_elsewhere(person, client, target: str) -> None:
    form = {"email": person.email, "password": PASSWORD, "next": target}
    answer = client.post("/account/sign-in/", form, secure=True)
    # Where the inspection of requests does not refuse it first, the page does.
    assert answer.status_code == 403 or (answer.status_code, answer["Location"]) == (302, "/studio/")
