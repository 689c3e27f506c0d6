"""One customer's whole way: sign up, confirm, consent, upload, choose, wait, look, download, delete, leave."""

import io
import json
import re
import time
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.journeys.conftest import PICTURES, Service

NAME = "Zofia Kanarkowska"
EMAIL = "zofia.kanarkowska@example.org"
PASSWORD = "drei stille Haselnuesse 41"

pytestmark = pytest.mark.journey


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def sign_up(page: Page, service: Service) -> None:
    page.goto("/")
    page.get_by_role("link", name="Make my headshots").click()
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert")).to_contain_text("at least 12 characters")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")
    page.goto(service.newest_link())
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm and sign in").click()


def consent(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text("May we measure")
    page.get_by_role("button", name="Agree").click()
    expect(page.get_by_role("alert")).to_contain_text("Tick the box")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Agree").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your studio")


def upload(page: Page, photos: list[Path], *, accepted: int) -> None:
    page.set_input_files("#photos", [str(photo) for photo in photos])
    expect(page.locator("#verdicts .notice")).to_have_count(len(photos), timeout=60_000)
    expect(page.locator("#verdicts .notice--good")).to_have_count(accepted)


def wait_for_gallery(page: Page) -> None:
    seen = set()
    deadline = time.monotonic() + 120
    while page.locator("#progress").count():
        seen.add(page.locator("#percent").text_content(timeout=2000) if page.locator("#percent").count() else "")
        assert time.monotonic() < deadline
        page.wait_for_timeout(150)
    assert len(seen) >= 2, "the progress bar never moved"


def readable_anywhere(service: Service, canaries: list[bytes]) -> list[str]:
    """Return every file of the data folder, the temporary folder and the log that holds a canary."""
    files = [path for folder in ("data", "tmp", "witness") for path in (service.folder / folder).rglob("*")]
    files.append(service.folder / "log")
    found = []
    for path in files:
        if path.is_file():
            data = path.read_bytes()
            found += [f"{path}: {canary[:16]!r}" for canary in canaries if canary in data]
    return found


@pytest.mark.clause("1.2.c")
@pytest.mark.clause("3.2.a")
def test_the_whole_job(page: Page, service: Service, shared: Path, tmp_path: Path) -> None:
    photos = shared / "photos"
    good = photos / "good" / "senate_cory-booker.jpg"
    sign_up(page, service)
    consent(page)
    upload(page, [good, photos / "derived" / "gps_timscott.heic", photos / "derived" / "not_an_image.jpg"], accepted=2)
    expect(page.locator("#verdicts .notice--bad")).to_contain_text("not a picture we can read")
    upload(page, [photos / "derived" / "two_people_collage.jpg", photos / "derived" / "timscott.webp"], accepted=1)
    picture(page, "studio-desktop")
    assert page.locator("#photo-list .tile").count() == 3
    page.locator("#photo-list input").first.uncheck()
    page.get_by_role("checkbox", name=re.compile("^White")).check()
    page.get_by_role("button", name="Make my headshots").click()
    wait_for_gallery(page)
    tiles = page.locator("#gallery .tile")
    expect(tiles).to_have_count(4)
    picture(page, "gallery-desktop")
    star = tiles.nth(1).get_by_role("button", name=re.compile("Favourite"))
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")

    with page.expect_download() as one:
        tiles.nth(0).get_by_role("link", name=re.compile("^Download")).click()
    with Image.open(one.value.path()) as headshot:
        assert headshot.size[0] >= 1228
        assert headshot.size[1] >= 1536
        assert not headshot.getexif()
    with page.expect_download() as favourites:
        page.get_by_role("link", name="Download favourites").click()
    assert len(zipfile.ZipFile(favourites.value.path()).namelist()) == 1
    with page.expect_download() as everything:
        page.get_by_role("link", name="Download all").click()
    archive = zipfile.ZipFile(everything.value.path())
    assert archive.testzip() is None
    assert len(archive.namelist()) == 4

    plain = archive.read(archive.namelist()[0])
    canaries = [NAME.encode(), EMAIL.encode(), PASSWORD.encode(), b"zofia.kanark", b"JFIF\x00", plain[2000:2032]]
    canaries += [good.read_bytes()[2000:2032], b"Kanarkowska", EMAIL.encode("utf-16-le")]
    assert readable_anywhere(service, canaries) == []

    tiles.nth(3).get_by_role("button", name=re.compile("^Delete")).click()
    expect(page.locator("#gallery .tile")).to_have_count(3)

    page.get_by_role("link", name="Who opened my photos").click()
    expect(page.get_by_role("table")).to_contain_text("A worker of the studio", timeout=5000)
    picture(page, "openings-desktop")
    with page.expect_download() as openings:
        page.get_by_role("link", name="Download with proofs").click()
    key = service.run("journal", "key").stdout.strip()
    checked = service.run("journal", "verify-openings", str(openings.value.path()), "--key", key)
    assert checked.returncode == 0, checked.stderr
    assert int(checked.stdout.split()[0]) > 10

    leave(page, service, tmp_path)
    assert readable_anywhere(service, canaries) == []
    assert not list((service.data / "objects").rglob("*.sealed"))
    verified = service.run("journal", "verify")
    assert verified.returncode == 0, verified.stderr


def leave(page: Page, service: Service, tmp_path: Path) -> None:
    page.get_by_role("link", name="Account").click()
    expect(page.get_by_text(EMAIL)).to_be_visible()
    page.get_by_role("link", name="Delete everything").click()
    page.get_by_label("Your password").fill("something else entirely")
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("alert")).to_contain_text("not your password")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Everything is deleted")
    picture(page, "receipt-desktop")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the receipt").click()
    file = tmp_path / "receipt.json"
    file.write_bytes(Path(download.value.path()).read_bytes())
    receipt = json.load(io.BytesIO(file.read_bytes()))
    # three photos, three of four headshots, each with its preview
    assert len(receipt["statement"]["objects"]) == 12
    assert service.run("receipt", "verify", str(file)).returncode == 0
    receipt["statement"]["objects"].pop()
    file.write_text(json.dumps(receipt))
    assert service.run("receipt", "verify", str(file)).returncode == 1
    page.goto("/account/sign-in/")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".notice--bad")).to_contain_text("not right")
