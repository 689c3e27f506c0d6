"""A real browser makes a passkey, signs out, and comes back in with nothing else (clause 10.2)."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Service
from tests.journeys.steps import look, sign_up

pytestmark = [pytest.mark.journey, pytest.mark.clause("10.2")]


def test_a_passkey_is_added_and_signs_in_alone(page: Page, service: Service) -> None:
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    sign_up(page, service)
    page.goto("/account/protection/")
    look(page, "protection")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Write these down")
    expect(page.locator("#codes li")).to_have_count(10)
    page.get_by_role("link", name="I have written them down").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/account/sign-in/?next=/account/settings/")
    look(page, "sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile("/account/settings/$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Account")
