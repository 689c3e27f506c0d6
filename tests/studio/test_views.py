"""The studio's pages: what they answer to their owner, to a stranger, to nobody, and to too much at once."""

import dataclasses
import io
import json
import re
import zipfile
from types import SimpleNamespace
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.test import Client, RequestFactory
from django.urls import reverse

from headshotly.access.warrants import OWNER_VALID
from headshotly.accounts import pace
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.audit.leaf import decode
from headshotly.audit.models import Disclosure, PendingEntry
from headshotly.policy import clock, configuration
from headshotly.purposes import services as purposes
from headshotly.purposes.texts import HEADSHOT_GENERATION, current_text
from headshotly.studio import decoding, entitlement, tasks
from headshotly.studio import engine as engines
from headshotly.studio.errors import LimitReached
from headshotly.studio.models import Headshot, KeptReceipt, Photo, Shoot, ShootState
from headshotly.studio.uploads import BoundedMemoryUpload, TooMuchUploaded
from headshotly.vault import receipt as receipts
from headshotly.vault import services as vault
from headshotly.vault.errors import StoreUnavailable
from headshotly.vault.models import StoredObject
from tests.accounts.conftest import PASSWORD, QuickArgon2, browser, make_customer

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
STYLES = ["studio-grey", "linkedin"]
MULTIPART = "multipart/form-data; boundary=b"


class NoiseEngine:
    """Stands in for the portrait engine, whose pictures the engine's own suite looks at."""

    photos_used = 1

    def prepare(self, picture, *, others=(), progress):
        progress("finding the face")
        return picture

    def render(self, _prepared, style):
        return engines.Headshot(picture=np.full((900, 700, 3), len(style.id), np.uint8), notes=("A note.",))


@pytest.fixture(autouse=True)
def _quick(settings, monkeypatch) -> None:
    settings.PASSWORD_HASHERS = [f"{QuickArgon2.__module__}.{QuickArgon2.__name__}"]
    monkeypatch.setattr(pace, "STEADY_SECONDS", 0.0)
    monkeypatch.setattr(tasks, "engine", NoiseEngine)


def signed_in(email: str, *, consent: bool = True) -> tuple[Client, UUID]:
    customer = make_customer(email=email)
    client = browser()
    assert client.post("/account/sign-in/", {"email": email, "password": PASSWORD}).status_code == 302
    if consent:
        purposes.give_consent(
            actor=Actor(kind="customer", id=customer.id),
            subject=customer.id,
            activity=HEADSHOT_GENERATION,
            version=current_text(HEADSHOT_GENERATION).version,
        )
    return client, customer.id


@pytest.fixture
def ada() -> tuple[Client, UUID]:
    return signed_in("ada@example.org")


@pytest.fixture
def client(ada) -> Client:
    return ada[0]


@pytest.fixture
def photo(ada) -> Photo:
    """A photo that is kept already; the gate has its own suite."""
    actor, picture = Actor(kind="customer", id=ada[1]), np.zeros((48, 40, 3), np.uint8)
    kept = [
        vault.seal(actor=actor, subject=ada[1], kind=kind, purpose=HEADSHOT_GENERATION, plaintext=encode(picture))
        for kind, encode in (("photo", decoding.encode_master), ("preview", decoding.encode_preview))
    ]
    return Photo.objects.create(
        subject=ada[1], object_id=kept[0], preview_id=kept[1], sentence="", score=1, received_at=clock.now()
    )


@pytest.fixture
def shoot(client, photo) -> Shoot:
    answer = client.post("/studio/start/", {"photo_ids": [str(photo.id)], "styles": STYLES})
    made = Shoot.objects.get()
    assert answer.url == f"/studio/shoots/{made.id}/"
    tasks.run_shoot.call(str(made.id))
    made.refresh_from_db()
    assert made.state == ShootState.DONE
    return made


def acts() -> list[Act]:
    return [decode(bytes(row.leaf)).act for row in [*PendingEntry.objects.all(), *Disclosure.objects.all()]]


def send(client: Client, *files, json_wanted: bool = True):
    headers = {"HTTP_ACCEPT": "application/json"} if json_wanted else {}
    return client.post("/studio/upload/", {"photos": list(files)}, **headers)


def upload_of(path) -> SimpleUploadedFile:
    return SimpleUploadedFile(path.name, path.read_bytes())


def test_each_uploaded_file_gets_its_own_answer(client, shared) -> None:
    good = upload_of(shared / "photos" / "good" / "tf_grace_hopper.jpg")
    blurred = upload_of(shared / "photos" / "derived" / "blurry_timscott.jpg")
    text = SimpleUploadedFile("cv.jpg", b"Dear sirs")
    answers = send(client, good, blurred, text).json()
    assert [answer["accepted"] for answer in answers] == [True, False, False]
    assert [answer["code"] for answer in answers[1:]] == ["blurred", "photo.not_a_picture"]
    assert all(answer["sentence"].endswith(".") for answer in answers)
    assert Photo.objects.count() == 1, "what was refused is not kept"
    assert StoredObject.objects.count() == 2
    preview = client.get(answers[0]["preview_url"])
    assert preview["Content-Type"] == "image/jpeg"
    for judged in answers[:2]:
        assert judged["seen"].startswith("data:image/jpeg;base64,"), "also what was refused shows what was looked at"
    assert answers[1]["findings"][0]["advice"].startswith("Please hold the camera still")
    seen = client.get(f"/studio/photos/{answers[0]['photo_id']}/seen.jpg")
    assert seen["Content-Type"] == "image/jpeg"
    assert seen.content != preview.content
    page = client.get("/studio/").content.decode()
    assert answers[0]["photo_id"] in page
    assert "hopper" not in page, "a file's name is never kept"


def test_without_scripts_the_verdicts_are_on_the_page(client) -> None:
    answer = send(client, SimpleUploadedFile("cv.jpg", b"Dear sirs"), json_wanted=False)
    assert answer.url == "/studio/"
    assert "not a picture we can read" in client.get("/studio/").content.decode()
    assert send(client, json_wanted=False).url == "/studio/"
    assert "at least one photo" in client.get("/studio/").content.decode()


@pytest.mark.clause("1.1.d")
def test_without_consent_every_door_leads_to_the_consent_page() -> None:
    client, _ = signed_in("bob@example.org", consent=False)
    for answer in (
        client.get("/studio/"),
        send(client, SimpleUploadedFile("me.jpg", b"x"), json_wanted=False),
        client.post("/studio/start/", {"photo_ids": [], "styles": STYLES}),
    ):
        assert answer.status_code == 302
        assert "consent" in answer.url
    refused = send(client, SimpleUploadedFile("me.jpg", b"x"))
    assert refused.status_code == 403
    assert "agree" in refused.json()["sentence"]
    assert StoredObject.objects.count() == 0


def addresses(photo_id: UUID, shoot_id: UUID, headshot_id: UUID) -> list[tuple[str, str]]:
    return [
        ("GET", reverse("studio:photo-preview", args=[photo_id])),
        ("POST", reverse("studio:photo-delete", args=[photo_id])),
        ("GET", reverse("studio:shoot", args=[shoot_id])),
        ("GET", reverse("studio:progress", args=[shoot_id])),
        ("POST", reverse("studio:cancel", args=[shoot_id])),
        ("POST", reverse("studio:redo", args=[shoot_id])),
        ("GET", reverse("studio:download-all", args=[shoot_id])),
        ("GET", reverse("studio:headshot", args=[headshot_id])),
        ("POST", reverse("studio:favourite", args=[headshot_id])),
        ("GET", reverse("studio:download", args=[headshot_id])),
        ("POST", reverse("studio:headshot-delete", args=[headshot_id])),
    ]


@pytest.mark.clause("5.1.a")
def test_what_is_somebody_elses_is_not_there_for_anybody_else(shoot, photo) -> None:
    eve, _ = signed_in("eve@example.org")
    before = (Photo.objects.count(), Headshot.objects.count(), StoredObject.objects.count())
    foreign = addresses(photo.id, shoot.id, Headshot.objects.first().id)
    nowhere = addresses(uuid4(), uuid4(), uuid4())
    for (method, theirs), (_, none) in zip(foreign, nowhere, strict=True):
        answers = [eve.generic(method, address, HTTP_ACCEPT="application/json") for address in (theirs, none)]
        assert [answer.status_code for answer in answers] == [404, 404], theirs
        assert answers[0].content == answers[1].content, "the answers tell the two apart"
    assert before == (Photo.objects.count(), Headshot.objects.count(), StoredObject.objects.count())
    stolen = eve.post("/studio/start/", {"photo_ids": [str(photo.id)], "styles": STYLES})
    assert stolen.status_code == 404
    assert str(photo.id) not in stolen.content.decode()
    assert Shoot.objects.count() == 1


@pytest.mark.clause("2.4.a")
def test_nobody_gets_in_without_signing_in(shoot, photo) -> None:
    nobody = browser()
    for method, address in addresses(photo.id, shoot.id, Headshot.objects.first().id):
        answer = nobody.generic(method, address)
        assert answer.status_code == (302 if method == "GET" else 403), address
        if method == "GET":
            assert answer.url.startswith("/account/sign-in/")


@pytest.mark.clause("5.3.a")
def test_pictures_are_for_their_owners_eyes_and_written_down(client, shoot) -> None:
    headshot = Headshot.objects.first()
    opened = acts().count(Act.OBJECT_OPENED)
    small = client.get(reverse("studio:headshot", args=[headshot.id]))
    full = client.get(reverse("studio:headshot", args=[headshot.id]) + "?size=full")
    file = client.get(reverse("studio:download", args=[headshot.id]))
    for answer in (small, full, file):
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Type"] == "image/jpeg"
        assert answer.content.startswith(b"\xff\xd8")
    assert file["Content-Disposition"].startswith("attachment")
    assert file.content == full.content
    assert len(small.content) < len(full.content)
    assert acts().count(Act.OBJECT_OPENED) == opened + 3
    assert acts().count(Act.HEADSHOT_DOWNLOADED) == 1


def opened_archive(pieces) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(pieces)))


def test_the_archive_holds_what_was_chosen_bit_for_bit(client, shoot) -> None:
    first, second = Headshot.objects.order_by("made_at")
    address = reverse("studio:download-all", args=[shoot.id])
    everything = client.get(address)
    assert everything["Content-Disposition"].startswith("attachment")
    archive = opened_archive(everything)
    assert archive.testzip() is None
    singles = {client.get(reverse("studio:download", args=[one.id])).content for one in (first, second)}
    assert {archive.read(name) for name in archive.namelist()} == singles
    assert len(archive.namelist()) == 2
    assert client.get(address + "?favourites=1").status_code == 404, "none is marked yet"
    marked = client.post(reverse("studio:favourite", args=[second.id]), HTTP_ACCEPT="application/json")
    assert marked.json() == {"favourite": True}
    assert len(opened_archive(client.get(address + "?favourites=1")).namelist()) == 1


def test_a_slow_download_outlives_any_single_warrant(client, shoot, monkeypatch) -> None:
    pieces = iter(client.get(reverse("studio:download-all", args=[shoot.id])))
    data = [next(pieces)]
    later = clock.now() + 2 * OWNER_VALID
    monkeypatch.setattr(clock, "now", lambda: later)
    assert len(opened_archive([*data, *pieces]).namelist()) == 2


def test_the_archive_leaves_out_what_its_owner_deletes_meanwhile(client, shoot) -> None:
    actor = Actor(kind="customer", id=shoot.subject)
    first, second = Headshot.objects.order_by("made_at")
    address = reverse("studio:download-all", args=[shoot.id])
    vault.destroy(actor=actor, object_id=first.object_id)  # its row goes a moment later
    assert len(opened_archive(client.get(address)).namelist()) == 1
    vault.destroy(actor=actor, object_id=second.object_id)
    assert client.get(address).status_code == 404


def test_an_archive_that_cannot_begin_is_a_refusal_with_its_sentence(client, shoot, monkeypatch) -> None:
    def broken(**_named) -> bytes:
        raise StoreUnavailable("The store did not answer.")

    monkeypatch.setattr("headshotly.studio.views.vault.open", broken)
    answer = client.get(reverse("studio:download-all", args=[shoot.id]))
    assert answer.status_code == 503
    assert "The store did not answer." in answer.content.decode()
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_progress_the_gallery_and_deleting_one(client, shoot) -> None:
    progress = client.get(reverse("studio:progress", args=[shoot.id])).json()
    assert progress == {"status": "done", "done": 3, "total": 3, "percent": 100, "sentence": "Ready", "open": False}
    headshot = Headshot.objects.first()
    gallery = client.get(reverse("studio:shoot", args=[shoot.id])).content.decode()
    assert reverse("studio:headshot", args=[headshot.id]) in gallery
    assert "A note." in gallery
    client.post(reverse("studio:headshot-delete", args=[headshot.id]))
    assert not StoredObject.objects.filter(id__in=[headshot.object_id, headshot.preview_id]).exists()
    assert client.get(reverse("studio:headshot", args=[headshot.id])).status_code == 404
    assert client.post(reverse("studio:cancel", args=[shoot.id])).status_code == 409


def test_a_finished_shoot_offers_one_style_again(client, shoot) -> None:
    page = client.get(f"/studio/shoots/{shoot.id}/").content.decode()
    assert f'action="/studio/shoots/{shoot.id}/redo/"' in page
    assert '<option value="studio-navy">' in page


def test_one_style_is_made_again_or_added_without_the_others(client, shoot) -> None:
    before = dict(Headshot.objects.values_list("style_id", "id"))
    address = reverse("studio:redo", args=[shoot.id])
    for style_id in ("linkedin", "studio-navy"):
        assert client.post(address, {"style": style_id}).url == f"/studio/shoots/{shoot.id}/"
        assert client.get(reverse("studio:progress", args=[shoot.id])).json()["status"] == "queued"
        tasks.run_shoot.call(str(shoot.id))
    after = dict(Headshot.objects.values_list("style_id", "id"))
    assert after.keys() == {"studio-grey", "linkedin", "studio-navy"}
    assert after["studio-grey"] == before["studio-grey"]
    assert after["linkedin"] != before["linkedin"]
    assert StoredObject.objects.count() == 2 + 2 * 3
    assert client.get(reverse("studio:progress", args=[shoot.id])).json()["percent"] == 100
    client.post(address, {"style": "studio-pink"})
    assert "no style" in client.get(reverse("studio:shoot", args=[shoot.id])).content.decode()
    client.post(reverse("studio:photo-delete", args=[Photo.objects.get().id]))
    client.post(address, {"style": "linkedin"})
    assert Headshot.objects.filter(id=after["linkedin"]).exists()
    assert Headshot.objects.count() == 3, "what cannot be made again is not thrown away"


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"styles": STYLES}, "at least one photo"),
        ({"photo_ids": ["nonsense"], "styles": STYLES}, "no such photo"),
        ({"photo_ids": ["own"], "styles": ["studio-pink"]}, "no style"),
        ({"photo_ids": ["own"], "styles": ["brand"], "brand_colour": ["<b>"]}, "is no colour"),
        ({"photo_ids": ["own"]}, "at least one photo and one style"),
    ],
)
def test_a_shoot_that_cannot_be_started_says_why(client, photo, form, sentence) -> None:
    filled = {name: [str(photo.id) if value == "own" else value for value in values] for name, values in form.items()}
    answer = client.post("/studio/start/", filled)
    if answer.status_code == 302:
        answer = client.get(answer.url)
    assert sentence in answer.content.decode()
    assert Shoot.objects.count() == 0


def test_what_was_chosen_stays_chosen_after_a_refusal(client, photo, monkeypatch) -> None:
    monkeypatch.setattr(entitlement, "_left", [(lambda _subject: 3, "orders:prices")])
    page = client.get("/studio/").content.decode()
    assert "3 headshots left." in page
    assert 'href="/orders/prices/"' in page

    def refuse(*_given) -> None:
        raise LimitReached("That is too many.")

    monkeypatch.setattr(entitlement, "_claims", [refuse])
    chosen = {"photo_ids": [str(photo.id)], "styles": ["brand", "cv"], "brand_colour": "#7a1f5c"}
    answer = client.post("/studio/start/", chosen)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert 'role="alert" id="start-error">That is too many.' in page
    assert re.findall(r'name="styles" value="([a-z-]+)" checked', page) == ["brand", "cv"]
    assert f'value="{photo.id}" checked' in page
    assert page.count("#7a1f5c") == 2, "in the field and on the drawn print"
    assert Shoot.objects.count() == 0


@pytest.mark.clause("1.2.c")
def test_deleting_everything_asks_for_the_password_and_leaves_a_receipt(client, shoot) -> None:
    assert client.get("/studio/delete-everything/").status_code == 200
    assert client.post("/studio/delete-everything/", {"password": "guess"}).status_code == 422
    assert Headshot.objects.count() == 2
    answer = client.post("/studio/delete-everything/", {"password": PASSWORD})
    kept = KeptReceipt.objects.get()
    assert answer.url == f"/studio/receipts/{kept.id}/"
    nobody = browser()  # the account is gone; the receipt's address is all there is
    assert "Everything is deleted" in nobody.get(answer.url).content.decode()
    file = nobody.get(answer.url + "?download=1")
    document = json.loads(file.content)
    statement = receipts.verify(document, expected_key=vault.receipt_public_key())
    assert len(statement["objects"]) == 6
    assert b"ada@" not in file.content
    assert client.get("/studio/").url.startswith("/account/sign-in/")
    assert StoredObject.objects.count() == Photo.objects.count() == Shoot.objects.count() == 0
    assert browser().post("/account/sign-in/", {"email": "ada@example.org", "password": PASSWORD}).status_code == 401
    assert nobody.get(f"/studio/receipts/{uuid4()}/").status_code == 404


class Unread(io.RawIOBase):
    """A body nobody may read."""

    def readable(self) -> bool:
        return True

    def read(self, *_):
        raise AssertionError("the body was read")


def test_two_gigabytes_are_refused_before_a_byte_is_read(client) -> None:
    answer = client.generic(
        "POST", "/studio/upload/", b"", content_type=MULTIPART,
        HTTP_ACCEPT="application/json", CONTENT_LENGTH=str(2 << 30), **{"wsgi.input": Unread()},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")
    assert answer["Connection"] == "close"


@pytest.mark.parametrize("count", [11, 10_000])
def test_too_many_files_are_refused_in_plain_words(client, count) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="photos"; filename="a.jpg"\r\n\r\nx\r\n'
    answer = client.generic(
        "POST", "/studio/upload/", part * count + b"--b--\r\n", content_type=MULTIPART, HTTP_ACCEPT="application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "upload.too_much")
    assert answer.json()["sentence"] == "Please send at most 10 photos at a time."
    assert StoredObject.objects.count() == 0


def test_a_body_longer_than_announced_stops_being_read(settings) -> None:
    settings.HEADSHOTLY = dataclasses.replace(configuration.current(), request_bytes_max=200_000)
    request = RequestFactory().post("/studio/upload/", {"photos": SimpleUploadedFile("a.jpg", b"x" * 300_000)})
    request.user = SimpleNamespace(is_authenticated=True)
    with pytest.raises(TooMuchUploaded):
        request.FILES.getlist("photos")


def test_one_file_too_large_does_not_cost_its_neighbours_their_answer(client, settings) -> None:
    settings.HEADSHOTLY = dataclasses.replace(configuration.current(), photo_bytes_max=1 << 20)
    big, small = SimpleUploadedFile("big.jpg", bytes(3 << 20)), SimpleUploadedFile("small.jpg", b"text")
    answers = send(client, big, small).json()
    assert [answer["code"] for answer in answers] == ["photo.too_large", "photo.not_a_picture"]


def test_files_of_somebody_who_is_not_signed_in_are_not_read_into_memory(monkeypatch) -> None:
    read = []
    real = BoundedMemoryUpload.receive_data_chunk
    monkeypatch.setattr(
        BoundedMemoryUpload, "receive_data_chunk", lambda *arguments: read.append(1) or real(*arguments)
    )
    answer = send(browser(), SimpleUploadedFile("a.jpg", bytes(1 << 20)))
    assert answer.status_code == 403
    assert read == []


@pytest.mark.clause("3.2.a")
def test_an_upload_never_becomes_a_file_on_the_disk(client, monkeypatch) -> None:
    monkeypatch.setattr(TemporaryUploadedFile, "__init__", lambda *_, **__: pytest.fail("a temporary file"))
    monkeypatch.setattr("tempfile.mkstemp", lambda *_, **__: pytest.fail("a temporary file"))
    answers = send(client, SimpleUploadedFile("a.jpg", bytes(8 << 20))).json()
    assert answers[0]["code"] == "photo.not_a_picture"


def test_a_long_history_comes_page_by_page_with_as_many_queries_as_a_short_one(
    ada, client, photo, django_assert_max_num_queries
) -> None:
    _, subject = ada
    made = [Shoot(subject=subject, state=ShootState.DONE, steps_total=1, created_at=clock.now()) for _ in range(30)]
    Shoot.objects.bulk_create(made)
    client.get("/studio/")  # the first visit grants the trial
    with django_assert_max_num_queries(14):
        first = client.get("/studio/").content.decode()
    assert first.count('href="/studio/shoots/') == 12
    assert "Page 1 of 3" in first
    assert 'href="?page=2"' in first
    last = client.get("/studio/?page=3").content.decode()
    assert last.count('href="/studio/shoots/') == 6
    assert "Older ones" not in last
    assert client.get("/studio/?page=nonsense").content.decode().count('href="/studio/shoots/') == 12
    shown = {page.split("/studio/shoots/")[1] for page in (first, last)}
    assert len(shown) == 2
