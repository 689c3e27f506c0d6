"""Staff for the suite: enrolled members of any role, with or without the people checks."""

import datetime as dt

import pyotp
import pytest

from headshotly.access import personnel, services
from headshotly.access.middleware import STAFF_COOKIE
from headshotly.access.models import StaffMember
from headshotly.accounts.models import SignInAttempt
from headshotly.audit.actor import SYSTEM
from headshotly.policy import clock, dates
from tests.accounts.conftest import _quick, browser, customer, db_all  # noqa: F401 - fixtures

PASSWORD = "vier laute Kastanien 17"
TODAY = dt.timedelta(0)


def token_of(link: str) -> str:
    return link.rstrip("/").rsplit("/", 1)[1]


def code_for(secret: str) -> str:
    return pyotp.TOTP(secret).at(int(clock.now().timestamp()))


def make_member(role: str, handle: str = "", *, fit: bool = True) -> StaffMember:
    token = token_of(services.create_staff(actor=SYSTEM, handle=handle or f"{role}-one", role=role))
    member = services.enrol(token=token, password=PASSWORD, code=code_for(services.totp_secret(token)))
    member.secret = services.totp_secret(token)
    if fit:
        make_fit(member)
    return member


def make_fit(member: StaffMember) -> None:
    today = dates.today()
    year = today + dt.timedelta(days=300)
    personnel.record_screening(
        actor=SYSTEM, member=member, passed_on=today, expires_on=year, provider="Screening Ltd", report_sha256="ab" * 32
    )
    personnel.record_training(actor=SYSTEM, member=member, passed_on=today, expires_on=year)
    personnel.sign_agreement(member=member, sha256=personnel.agreement().sha256)


def at_desk(member: StaffMember):
    """A browser in which a member is signed in."""
    client = browser()
    client.cookies[STAFF_COOKIE] = services._start_session(member)
    return client


@pytest.fixture
def patient():
    SignInAttempt.objects.all().delete()
