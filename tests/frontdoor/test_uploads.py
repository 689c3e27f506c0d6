"""Uploads through the pages: bounded, in memory, answered in plain words."""

import io
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from headshotly.accounts.models import Customer
from headshotly.policy import configuration
from headshotly.studio.models import Photo
from headshotly.studio.uploads import BoundedMemoryUpload
from headshotly.vault import durable

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])


@pytest.fixture
def browser(person, client):
    client.force_login(Customer.objects.get())
    return client


def send(browser, files: list, **headers):
    return browser.post("/studio/upload/", {"photos": files}, secure=True, headers=headers)


def test_each_file_gets_its_own_answer(browser, shared: Path) -> None:
    photos = shared / "photos"
    files = [
        SimpleUploadedFile("me.jpg", (photos / "good" / "tf_grace_hopper.jpg").read_bytes()),
        SimpleUploadedFile("text.jpg", b"hello"),
        SimpleUploadedFile("../../etc/passwd", b""),
    ]
    answers = send(browser, files, accept="application/json").json()
    assert [answer["accepted"] for answer in answers] == [True, False, False]
    assert Photo.objects.count() == 1
    assert len({answer["sentence"] for answer in answers}) == 3
    page = send(browser, [SimpleUploadedFile("text.jpg", b"hello")])
    assert page.status_code == 302


def test_too_many_files_are_refused_in_plain_words(browser) -> None:
    files = [SimpleUploadedFile(f"{number}.jpg", b"x") for number in range(200)]
    answer = send(browser, files, accept="application/json")
    assert answer.status_code == 413
    assert answer.json()["code"] == "upload.too_much"
    assert "at most 10 photos" in answer.json()["sentence"]


def test_one_file_too_large_does_not_spoil_the_others(browser, shared: Path, monkeypatch) -> None:
    good = (shared / "photos" / "good" / "tf_grace_hopper.jpg").read_bytes()
    monkeypatch.setattr(BoundedMemoryUpload, "__init__", small_limit(BoundedMemoryUpload.__init__))
    monkeypatch.setattr(type(configuration.current()), "photo_bytes_max", 100_000, raising=False)
    answers = send(
        browser,
        [SimpleUploadedFile("large.jpg", bytes(3_000_000)), SimpleUploadedFile("me.jpg", good)],
        accept="application/json",
    ).json()
    assert "larger than" in answers[0]["sentence"] or "not a picture" in answers[0]["sentence"]
    assert answers[1]["accepted"] is True


def small_limit(real):
    def init(self, request=None):
        real(self, request)
        self._file_max = 100_000

    return init


def test_a_full_disk_says_so_and_keeps_nothing(browser, shared: Path, monkeypatch) -> None:
    import errno

    def full(*_arguments, **_named):
        raise durable.refusal(OSError(errno.ENOSPC, "No space left on device"))

    monkeypatch.setattr(durable, "write", full)
    data = (shared / "photos" / "good" / "tf_grace_hopper.jpg").read_bytes()
    (answer,) = send(browser, [SimpleUploadedFile("me.jpg", data)], accept="application/json").json()
    assert answer["accepted"] is False
    assert "no storage space" in answer["sentence"]
    assert Photo.objects.count() == 0


def test_a_form_without_its_token_is_refused(person) -> None:
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(Customer.objects.get())
    answer = strict.post("/studio/start/", {}, secure=True)
    assert answer.status_code == 403
    assert "form is too old" in answer.content.decode()


def test_without_consent_the_studio_asks_for_it(make_person, client) -> None:
    make_person(consent=False)
    client.force_login(Customer.objects.get())
    assert client.get("/studio/", secure=True)["Location"].startswith("/consent/headshot-generation/")
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, "PNG")
    answer = send(client, [SimpleUploadedFile("a.png", out.getvalue())], accept="application/json")
    assert answer.status_code == 403
    assert answer.json()["code"] == "consent.missing"
