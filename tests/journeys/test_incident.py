"""An incident on screen: a planted event becomes an alert, a case, a stop, a breach, and a notice; by staff alone."""

import datetime as dt
import re
import time
from zoneinfo import ZoneInfo

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Service, Visit
from tests.journeys.steps import PASSWORD, look

pytestmark = pytest.mark.journey

WHY = "Somebody else is in there and copies what they find."
WARSAW = ZoneInfo("Europe/Warsaw")  # where the operator types times
LIMIT_MS = 2000  # from a planted event to its alert on the screen


def enrol(page: Page, link: str, handle: str) -> None:
    """Enrol a member of staff by password and authenticator app, and sign them in; each code counts once."""
    page.goto(link)
    app = pyotp.TOTP(page.locator("code").inner_text())
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code").fill(app.at(int(time.time()) - 30))
    page.get_by_role("button", name="Enrol").click()
    page.wait_for_url("**/staff/sign-in/")
    page.get_by_label("Handle").fill(handle)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label(re.compile("^Code")).fill(app.now())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/staff/")


def member(service: Service, visit: Visit, handle: str, role: str, **options) -> Page:
    made = service.run("staff", "create", handle, "--role", role)
    assert made.returncode == 0, made.stderr
    page = visit(**options)
    enrol(page, made.stdout.strip().splitlines()[-1], handle)
    return page


def case_of_the_alert(page: Page, service: Service) -> None:
    """Plant an event, see its alert come by itself, and make a case of it."""
    page.goto("/staff/watch/")
    told = page.get_by_role("link", name="A planted event was noticed")
    before = told.count()  # the checks of the policy plant events of their own
    planted = service.run("detector", "plant")
    assert planted.returncode == 0, planted.stderr + planted.stdout
    page.wait_for_function(
        "before => [...document.querySelectorAll('#alerts a')].filter(one => one.text.includes('planted')).length > before",
        arg=before,
        timeout=LIMIT_MS,
    )
    expect(told.first).to_be_visible()
    look(page, "incident-alerts")
    told.first.click()
    look(page, "incident-alert")
    page.get_by_role("button", name="Go to its case").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A planted event was noticed")
    page.get_by_role("button", name="Take this case").click()


def stop_and_let_go(page: Page, customer: Page) -> None:
    """Make the whole service read-only, see that a customer is told so, and undo it."""
    where = page.url
    button = "Make the whole service read-only"
    page.locator("summary", has_text=button).click()
    box = page.locator("details", has=page.locator("summary", has_text=button))
    box.get_by_label("Why").fill(WHY)
    box.get_by_role("button", name=button).click()
    expect(page.get_by_role("status")).to_contain_text("customers can look, nothing is changed")
    look(page, "incident-case-contained")
    customer.goto("/account/sign-up/")
    customer.get_by_label("Name").fill("Zofia Kanarkowska")
    customer.get_by_label("E-mail address").fill("zofia@example.org")
    customer.get_by_label("Password").fill(PASSWORD)
    customer.get_by_role("button", name="Create account").click()
    expect(customer.get_by_role("heading", level=1)).not_to_have_text("Check your mail")
    page.get_by_placeholder("Why it may go on").fill("It was planted by ourselves.")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undone: make the whole service read-only")
    page.goto(where)
    expect(page.locator(".badge--done", has_text="undone")).to_be_visible()


def breach_and_notice(page: Page, where: str) -> None:
    """Record a breach, say what happened, look at the draft, release the first notice and record its sending."""
    page.goto(where)
    page.get_by_role("link", name="Record a breach").click()
    page.get_by_label(re.compile("^Aware since")).fill(
        f"{dt.datetime.now(WARSAW) - dt.timedelta(hours=1):%Y-%m-%dT%H:%M}"
    )
    page.get_by_role("button", name="Record it and start the clocks").click()
    expect(page.locator(".clocks")).to_contain_text("Supervisory authority", ignore_case=True)
    for part, english, polish in (
        ("What happened", "A copy of the store was seen elsewhere.", "Kopia magazynu pojawiła się gdzie indziej."),
        ("How it was found", "A planted event raised an alert.", "Podłożone zdarzenie wywołało alarm."),
    ):
        page.get_by_label(f"{part} (English)").fill(english)
        page.get_by_label(f"{part} (Polish)").fill(polish)
    page.get_by_role("button", name="Keep the words").click()
    look(page, "incident-breach")
    for link, text in (("Draft, English", b"%PDF"), ("Draft, Polish", b"%PDF")):
        drafted = page.request.get(page.get_by_role("link", name=link).first.get_attribute("href") or "")
        assert drafted.body().startswith(text)
    page.get_by_label("Kind of notice").first.select_option("initial")
    page.get_by_role("button", name="Release").first.click()
    expect(page.get_by_text("released, not sent")).to_be_visible()
    notice = page.request.get(page.get_by_role("link", name="PDF, Polish").first.get_attribute("href") or "")
    assert notice.headers["content-type"] == "application/pdf"
    assert notice.body().startswith(b"%PDF")
    page.get_by_label("Sent through").fill("biznes.gov.pl")
    page.get_by_label("Receipt").fill("UPO-2026-1")
    page.get_by_label(re.compile("^Confirmation")).set_input_files(
        files=[{"name": "upo.xml", "mimeType": "application/xml", "buffer": b"<UPO/>"}]
    )
    page.get_by_role("button", name="It was sent").click()
    expect(page.get_by_role("link", name="confirmation sealed")).to_be_visible()
    look(page, "incident-breach-told")


def test_from_a_planted_event_to_a_notice(visit: Visit, service: Service) -> None:
    officer = member(service, visit, "olga", "security-officer")
    case_of_the_alert(officer, service)
    where = officer.url
    stop_and_let_go(officer, visit())
    dpo = member(
        service, visit, "daria", "dpo", viewport={"width": 375, "height": 740}, color_scheme="dark", has_touch=True
    )
    breach_and_notice(dpo, where)
    officer.goto(where)
    expect(officer.locator("#evidence")).to_contain_text("Confirmation of notice 1")
    expect(officer.locator(".timeline")).to_contain_text("Undone: Make the whole service read-only")
    look(officer, "incident-case")
    officer.goto("/staff/incidents/")
    # The installation's own first member opened no case; the two made from the terminal did, and must be explained.
    expect(officer.get_by_role("main")).to_contain_text("A member of staff was created")
