"""The same job by other ways: by keyboard alone on a phone in the dark, without scripts, and past closed doors."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import Service, Visit
from tests.journeys.steps import (
    EMAIL,
    NAME,
    PASSWORD,
    consent,
    delete_headshot,
    look,
    sign_up,
    upload,
    wait_for_gallery,
)

pytestmark = pytest.mark.journey

_STEPS_MAX = 120  # a way by keyboard that is longer than this is no way


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus, as somebody without a mouse does, and require it to be visible."""
    for _ in range(_STEPS_MAX):
        if target.evaluate("element => element === document.activeElement"):
            outline = target.evaluate(
                "element => { const ring = (one) => one && getComputedStyle(one).outlineStyle !== 'none';"
                " return ring(element) || ring(element.closest('.tile')) || ring(element.nextElementSibling); }"
            )
            assert outline, "the focus cannot be seen"
            return
        page.keyboard.press("Tab")
    pytest.fail(f"the keyboard never gets to {target}")


def write(page: Page, label: str, text: str) -> None:
    tab_to(page, page.get_by_label(label, exact=True))
    page.keyboard.type(text)


def test_by_keyboard_on_a_phone_in_the_dark(visit: Visit, service: Service, shared: Path) -> None:
    page = visit(viewport={"width": 375, "height": 740}, color_scheme="dark", reduced_motion="reduce", has_touch=True)
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Make my headshots")).to_be_focused()
    look(page, "landing-phone-dark")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-up/")
    write(page, "Name", NAME)
    write(page, "E-mail address", EMAIL)
    write(page, "Password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")
    page.goto(service.newest_link())
    write(page, "Password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("May we measure")
    tab_to(page, page.get_by_role("checkbox"))
    page.keyboard.press("Space")
    look(page, "consent-phone-dark")
    tab_to(page, page.get_by_role("button", name="Agree"))
    page.keyboard.press("Enter")

    tab_to(page, page.locator("#photos"))  # the picker itself belongs to the system; its answer is given below
    upload(page, [shared / "photos" / "derived" / "timscott.webp"], accepted=1)
    tab_to(page, page.get_by_role("checkbox", name=re.compile("^Banner")))
    page.keyboard.press("Space")
    expect(page.locator("#sum")).to_have_text("1 photo × 2 styles = 2 headshots")
    look(page, "studio-phone-dark")
    tab_to(page, page.get_by_role("button", name="Make my headshots"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/shoots/*/")
    wait_for_gallery(page)
    expect(page.locator("#gallery .tile")).to_have_count(2)
    look(page, "gallery-phone-dark")
    star = page.get_by_role("button", name="Favourite: headshot 2")
    tab_to(page, star)
    page.keyboard.press("Enter")
    expect(star).to_have_attribute("aria-pressed", "true")
    with page.expect_download():
        tab_to(page, page.get_by_role("link", name="Download headshot 2"))
        page.keyboard.press("Enter")
    tab_to(page, page.locator("summary").nth(1))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Delete for good headshot 2"))
    page.keyboard.press("Enter")
    expect(page.locator("#gallery .tile")).to_have_count(1)


def test_without_scripts(visit: Visit, service: Service, shared: Path) -> None:
    page = visit(java_script_enabled=False, viewport={"width": 320, "height": 640})
    sign_up(page, service)
    consent(page)
    derived = shared / "photos" / "derived"
    page.set_input_files("#photos", [derived / "timscott.webp", derived / "very_dark_timscott.jpg"])
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("status").locator(".notice--good")).to_have_count(1, timeout=30_000)
    expect(page.get_by_role("status").locator(".notice--bad")).to_contain_text("dark")
    look(page, "studio-without-scripts")
    page.get_by_role("button", name="Make my headshots").click()
    expect(page.locator("noscript meta[http-equiv=refresh], head meta[http-equiv=refresh]")).to_have_count(1)
    deadline = time.monotonic() + 60
    while not page.locator("#gallery .tile").count():  # the page reloads itself every four seconds
        assert time.monotonic() < deadline
        page.wait_for_timeout(300)
    page.get_by_role("button", name="Favourite: headshot 1").click()
    expect(page.get_by_role("button", name="Favourite: headshot 1")).to_have_attribute("aria-pressed", "true")
    with page.expect_download():
        page.get_by_role("link", name="Download favourites").click()
    look(page, "gallery-without-scripts")
    delete_headshot(page, 1)
    expect(page.get_by_text("There are no headshots here")).to_be_visible()


def test_pages_for_everybody(visit: Visit, service: Service) -> None:
    page = visit(extra_http_headers={"Sec-GPC": "1"})
    for address, name in (("/policy/", "policy"), ("/staff/sign-in/", "staff-sign-in"), ("/account/reset/", "reset")):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200
        look(page, name)
        expect(page.get_by_text("Opt-Out Request Honored")).to_be_visible()
    for address, status, name in (
        ("/nothing-here/", 404, "not-found"),
        ("/studio/receipts/00000000-0000-4000-8000-000000000000/", 404, "no-receipt"),
    ):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == status
        look(page, name)
    page.goto("/studio/")
    assert page.url.startswith(f"{service.url}/account/sign-in/")
    look(page, "sign-in")
