"""One customer's whole way: sign up, confirm, consent, upload, choose, wait, look, download, delete, leave."""

import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Service
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


def take_home(page: Page) -> zipfile.ZipFile:
    """Download one, the favourites and all, and return the archive of all four."""
    with page.expect_download() as one:
        page.locator("#gallery .tile").nth(0).get_by_role("link", name=re.compile("^Download")).click()
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
    return archive


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
    look(page, "studio-desktop")
    assert page.locator("#photo-list .tile").count() == 3
    page.locator("#photo-list input").first.uncheck()
    page.get_by_role("checkbox", name=re.compile("^White")).check()
    expect(page.locator("#sum")).to_have_text("2 photos × 2 styles = 4 headshots")
    page.get_by_role("button", name="Make my headshots").click()
    assert len(wait_for_gallery(page)) >= 2, "the progress bar never moved"
    tiles = page.locator("#gallery .tile")
    expect(tiles).to_have_count(4)
    look(page, "gallery-desktop")
    expect(page.get_by_role("link", name="Download favourites")).to_be_hidden()
    star = tiles.nth(1).get_by_role("button", name=re.compile("Favourite"))
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")

    archive = take_home(page)
    plain = archive.read(archive.namelist()[0])
    canaries = [NAME.encode(), EMAIL.encode(), PASSWORD.encode(), b"zofia.kanark", b"JFIF\x00", plain[2000:2032]]
    canaries += [good.read_bytes()[2000:2032], b"Kanarkowska", EMAIL.encode("utf-16-le")]
    assert readable_anywhere(service, canaries) == []

    delete_headshot(page, 4)

    page.get_by_role("link", name="Who opened my photos").click()
    expect(page.get_by_role("table")).to_contain_text("A worker of the studio", timeout=5000)
    look(page, "openings-desktop")
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
    look(page, "account")
    page.get_by_role("link", name="Delete everything").click()
    page.get_by_label("Your password").fill("something else entirely")
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("alert")).to_contain_text("not your password")
    look(page, "delete")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Everything is deleted")
    look(page, "receipt-desktop")
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
    look(page, "sign-in")
