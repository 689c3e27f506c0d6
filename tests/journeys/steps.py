"""The steps every journey is made of, and what is looked at on each page."""

import re
import time
from pathlib import Path

from playwright.sync_api import Error, Page, expect

from tests.journeys.accessibility import problems
from tests.journeys.conftest import PICTURES, Service

NAME = "Zofia Kanarkowska"
EMAIL = "zofia.kanarkowska@example.org"
PASSWORD = "drei stille Haselnuesse 41"


def look(page: Page, name: str) -> None:
    """Keep a picture of the page and hold it against the accessibility rules."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    found = problems(page)
    assert not found, f"{name}: {found}"


def sign_up(page: Page, service: Service) -> None:
    page.goto("/")
    look(page, "landing")
    page.get_by_role("link", name="Make my headshots").click()
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert")).to_contain_text("at least 12 characters")
    look(page, "sign-up")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")
    look(page, "check-mail")
    page.goto(service.newest_link())
    look(page, "confirm")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm and sign in").click()


def consent(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text("May we measure")
    page.get_by_role("button", name="Agree").click()
    expect(page.get_by_role("alert")).to_contain_text("Tick the box")
    look(page, "consent")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Agree").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your studio")


def upload(page: Page, photos: list[Path], *, accepted: int) -> None:
    page.set_input_files("#photos", [str(photo) for photo in photos])
    expect(page.locator("#verdicts .notice")).to_have_count(len(photos), timeout=60_000)
    expect(page.locator("#verdicts .notice--good")).to_have_count(accepted)


def wait_for_gallery(page: Page) -> set[str]:
    """Wait until the shoot is done, and return everything the progress bar said meanwhile."""
    seen: set[str] = set()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if not page.locator("#progress").count():
                return seen
            seen.update(page.locator("#percent").all_text_contents())
        except Error as error:
            # The page turned into the gallery, or into itself, while it was being asked.
            if "Execution context was destroyed" not in str(error):
                raise
        page.wait_for_timeout(150)
    raise AssertionError(f"the shoot did not end; its progress bar said {sorted(seen)}")


def delete_headshot(page: Page, number: int) -> None:
    """Delete a headshot; it asks once more before anything is gone."""
    tile = page.locator("#gallery .tile").nth(number - 1)
    before = page.locator("#gallery .tile").count()
    expect(tile.get_by_role("button", name=re.compile("^Delete for good"))).to_be_hidden()
    tile.locator("summary").click()
    tile.get_by_role("button", name=re.compile("^Delete for good")).click()
    expect(page.get_by_role("status")).to_contain_text("deleted for good")
    expect(page.locator("#gallery .tile")).to_have_count(before - 1)
