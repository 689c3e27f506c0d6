"""The notices say what the declarations say: all of it, in the law's order, and nothing else."""

import dataclasses
import json

import pytest

from headshotly.policy import configuration
from headshotly.policy.operator import Operator
from headshotly.purposes import declarations, notices
from headshotly.purposes.declarations import Activity, LegalBasis
from tests.accounts.conftest import browser

pytestmark = pytest.mark.clause("1.2.e")


@pytest.mark.django_db(databases="__all__")
@pytest.mark.parametrize("address", ["/privacy/", "/privacy/collection/"])
def test_every_activity_about_customers_is_on_the_page(address) -> None:
    page = browser().get(address).content.decode()
    shown = notices.about_customers()
    assert len(shown) >= 8
    for one in shown:
        assert notices.line_of(one).title in page, one.id


def test_a_new_declaration_changes_the_notice(monkeypatch) -> None:
    before = notices.privacy_notice(Operator()).sha256
    monkeypatch.setattr(declarations, "_ACTIVITIES", dict(declarations._ACTIVITIES))
    declarations.declare(
        Activity(
            id="newsletter",
            title="Newsletter",
            purpose="To tell what is new.",
            people=("customers",),
            data=("address",),
            basis=LegalBasis.CONSENT,
            retention="Until you say no.",
            recipients=("a mail service",),
        )
    )
    after = notices.privacy_notice(Operator())
    assert after.sha256 != before
    assert "a mail service" in [line.recipients for line in after.lines]


def test_what_concerns_staff_alone_is_not_in_a_customers_notice() -> None:
    assert "staff-access" not in {one.id for one in notices.about_customers()}


def test_machines_read_the_same() -> None:
    document = json.loads(notices.as_json(Operator()))
    assert document["sold"] is False
    assert len(document["activities"]) == len(notices.about_customers())


@pytest.mark.django_db(databases="__all__")
@pytest.mark.clause("12")
def test_the_operator_is_named_from_one_setting(settings) -> None:
    named = Operator(name="Atelier Nord", privacy_email="daten@example.org", security_email="sicher@example.org")
    settings.HEADSHOTLY = dataclasses.replace(configuration.current(), operator=named)
    for address in ("/privacy/", "/privacy/contact/", "/privacy/ask/", "/"):
        page = browser().get(address).content.decode()
        assert "Atelier Nord" in page, address
        assert "daten@example.org" in page, address
        assert "HeadShotlyAI" not in page, address


@pytest.mark.django_db(databases="__all__")
def test_the_notice_is_offered_before_anything_is_collected(client) -> None:
    assert 'href="/privacy/collection/"' in browser().get("/account/sign-up/").content.decode()
