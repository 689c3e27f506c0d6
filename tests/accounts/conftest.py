"""Customers for the suite: quick hashing, quick answers, an authenticator made of software."""

import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from headshotly.accounts import pace, services
from headshotly.accounts.models import Customer
from headshotly.audit.actor import VISITOR
from headshotly.policy import configuration

EMAIL, NAME, PASSWORD = "zofia@example.org", "Zofia Kanarkowska", "drei stille Haselnuesse 41"


class QuickArgon2(Argon2PasswordHasher):
    """Argon2id with the least work it knows; the parameters in use are tested for themselves."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1


@pytest.fixture(autouse=True)
def _quick(settings, monkeypatch):
    settings.PASSWORD_HASHERS = [f"{__name__}.QuickArgon2"]
    monkeypatch.setattr(pace, "STEADY_SECONDS", 0.0)
    monkeypatch.setattr(services, "_decoy_hash", [])


class Browser(Client):
    """A client that speaks HTTPS, as every browser must."""

    def generic(self, *arguments, **named):
        return super().generic(*arguments, **{**named, "secure": True})


def browser(*, strict: bool = False, **defaults) -> Client:
    return Browser(enforce_csrf_checks=strict, HTTP_HOST="localhost", **defaults)


@pytest.fixture
def client() -> Client:
    return browser()


def mails() -> list[Path]:
    return sorted(configuration.current().mail_folder.glob("*.eml"))


def mail_text(path: Path) -> str:
    return message_from_bytes(path.read_bytes(), policy=policy.default).get_content()


def newest_link() -> str:
    return re.search(r"https://\S+?(/account/\S+)", mail_text(mails()[-1]))[1]


def make_customer(email: str = EMAIL, password: str = PASSWORD, name: str = NAME) -> Customer:
    services.sign_up(actor=VISITOR, email=email, password=password, name=name)
    token = newest_link().split("/")[3]
    return services.confirm(token=token, password=password)


@pytest.fixture
def customer(db_all) -> Customer:
    return make_customer()


@pytest.fixture
def db_all(request):
    request.getfixturevalue("db")
    for path in mails():
        path.unlink()


@pytest.fixture
def signed_in(client, customer) -> Client:
    answer = client.post("/account/sign-in/", {"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return client
