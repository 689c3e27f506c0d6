"""The staff door: one-time links, two factors, each code once."""

import datetime as dt
import threading

import pyotp
import pytest
from django.db import connections

from headshotly.access import services
from headshotly.access.errors import EnrolmentRefused, HandleTaken, StaffSignInRefused
from headshotly.access.models import EnrolmentLink, StaffMember, StaffSession
from headshotly.accounts.errors import InputRefused
from headshotly.audit.actor import SYSTEM
from headshotly.policy import clock

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])
PASSWORD = "neun leise Kraniche"


def token_of(link: str) -> str:
    return link.rstrip("/").rsplit("/", 1)[1]


def code(token: str, *, ahead: int = 0) -> str:
    return pyotp.TOTP(services.totp_secret(token)).at(int(clock.now().timestamp()) + 30 * ahead)


@pytest.fixture
def enrolled() -> str:
    token = token_of(services.create_staff(actor=SYSTEM, handle="olga", role="operations"))
    services.enrol(token=token, password=PASSWORD, code=code(token, ahead=-1))
    return token


def test_the_first_member_is_created_once() -> None:
    assert services.ensure_first_staff() is not None
    assert services.ensure_first_staff() is None


@pytest.mark.parametrize("handle", ["", "O", "Olga", "olga kowalska", "-x", "x" * 41, "olga@example.org"])
def test_a_handle_is_no_name_or_address(handle: str) -> None:
    with pytest.raises(HandleTaken):
        services.create_staff(actor=SYSTEM, handle=handle, role="operations")


def test_unknown_roles_and_taken_handles_are_refused(enrolled) -> None:
    with pytest.raises(HandleTaken, match="no role"):
        services.create_staff(actor=SYSTEM, handle="piotr", role="king")
    with pytest.raises(HandleTaken, match="already"):
        services.create_staff(actor=SYSTEM, handle="olga", role="dpo")


@pytest.mark.clause("2.4.b")
def test_an_enrolment_link_works_once_and_not_for_ever(enrolled, monkeypatch) -> None:
    with pytest.raises(EnrolmentRefused):
        services.enrol(token=enrolled, password=PASSWORD, code=code(enrolled))
    late = token_of(services.create_staff(actor=SYSTEM, handle="late", role="dpo"))
    moment = clock.now() + dt.timedelta(hours=25)
    monkeypatch.setattr(clock, "now", lambda: moment)
    with pytest.raises(EnrolmentRefused):
        services.member_of_link(late)


def test_enrolment_needs_a_good_password_and_a_right_code() -> None:
    token = token_of(services.create_staff(actor=SYSTEM, handle="olga", role="operations"))
    with pytest.raises(InputRefused):
        services.enrol(token=token, password="short", code=code(token))
    with pytest.raises(EnrolmentRefused):
        services.enrol(token=token, password=PASSWORD, code="000000")
    assert StaffMember.objects.get().enrolled_at is None


def test_the_link_itself_is_not_kept() -> None:
    token = token_of(services.create_staff(actor=SYSTEM, handle="olga", role="operations"))
    assert token.encode() not in bytes(EnrolmentLink.objects.get().token_sha256)


@pytest.mark.clause("2.4.b")
def test_sign_in_needs_all_three(enrolled) -> None:
    for handle, password, typed in (
        ("olga", PASSWORD, "000000"),
        ("olga", "wrong", code(enrolled)),
        ("nobody", PASSWORD, code(enrolled)),
    ):
        with pytest.raises(StaffSignInRefused):
            services.sign_in(handle=handle, password=password, code=typed)
    token = services.sign_in(handle="olga", password=PASSWORD, code=code(enrolled))
    assert services.member_of_session(token).handle == "olga"
    services.end_session(token)
    assert services.member_of_session(token) is None


@pytest.mark.clause("2.4.b")
def test_one_code_opens_one_session_under_concurrency(enrolled) -> None:
    typed, results = code(enrolled), []

    def attempt() -> None:
        try:
            results.append(services.sign_in(handle="olga", password=PASSWORD, code=typed))
        except StaffSignInRefused:
            results.append(None)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([result for result in results if result]) == 1
    assert StaffSession.objects.count() == 1


def test_a_session_ends_by_itself_and_with_its_member(enrolled, monkeypatch) -> None:
    token = services.sign_in(handle="olga", password=PASSWORD, code=code(enrolled))
    StaffMember.objects.update(is_active=False)
    assert services.member_of_session(token) is None
    StaffMember.objects.update(is_active=True)
    moment = clock.now() + services.SESSION_VALID
    monkeypatch.setattr(clock, "now", lambda: moment)
    assert services.member_of_session(token) is None


def test_the_whole_door_in_the_browser_protocol(client) -> None:
    link = services.create_staff(actor=SYSTEM, handle="olga", role="operations")
    path = "/" + link.split("/", 3)[3]
    token = token_of(link)
    page = client.get(path, secure=True)
    assert services.totp_secret(token) in page.content.decode()
    qr = client.get(f"{path}code.svg", secure=True)
    assert qr["Content-Type"] == "image/svg+xml"
    wrong = client.post(path, {"password": PASSWORD, "code": "123"}, secure=True)
    assert wrong.status_code == 422
    assert client.post(path, {"password": PASSWORD, "code": code(token, ahead=-1)}, secure=True).status_code == 302
    assert client.get(path, secure=True).status_code == 410
    assert client.get("/staff/", secure=True)["Location"] == "/staff/sign-in/"
    form = {"handle": "olga", "password": PASSWORD, "code": code(token)}
    assert client.post("/staff/sign-in/", form, secure=True).status_code == 302
    desk = client.get("/staff/", secure=True).content
    assert b"<p>olga <small>Operations</small></p>" in desk
    assert b"What waits for you" in desk
    cookie = client.cookies["__Host-staff"]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Strict")
    client.post("/staff/sign-out/", secure=True)
    assert client.get("/staff/", secure=True).status_code == 302


@pytest.mark.clause("1.1.c")
def test_production_does_not_start_without_a_data_protection_officer(db, monkeypatch):
    import dataclasses

    from headshotly.access.errors import SeatEmpty
    from headshotly.policy import configuration

    here = configuration.current()
    services.require_officer()
    monkeypatch.setattr(configuration, "current", lambda: dataclasses.replace(here, environment="production"))
    with pytest.raises(SeatEmpty, match="--role dpo"):
        services.require_officer()
    services.create_staff(actor=SYSTEM, handle="anna", role="dpo")
    services.require_officer()
    StaffMember.objects.filter(handle="anna").update(is_active=False)
    with pytest.raises(SeatEmpty):
        services.require_officer()
