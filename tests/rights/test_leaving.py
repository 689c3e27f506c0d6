"""Copies, erasure and time limits: everything is in the copy, and nothing of anybody is left anywhere."""

import hashlib
import importlib
import io
import json
import zipfile
from pathlib import Path
from uuid import uuid4

import jsonschema
import pytest
from django.apps import apps
from django.db import connections
from django.db import models as columns
from PIL import Image

from headshotly.audit.sequencing import sequence_once
from headshotly.audit.verification import verify
from headshotly.frontdoor.settings import ROOMS as ROOM_NAMES
from headshotly.policy import clock, configuration
from headshotly.purposes import restrictions, retention
from headshotly.purposes.declarations import limits
from headshotly.purposes.grounds import RestrictionGround
from headshotly.purposes.personal import is_personal
from headshotly.purposes.texts import HEADSHOT_GENERATION
from headshotly.rights import access_reply, choices, erasure, exports, objections, rooms, services, tasks
from headshotly.rights import retention as sweeper
from headshotly.rights.errors import Incomplete, NotFound, NotNow
from headshotly.rights.models import ErasurePlan, Export, ExportState, RightsRequest
from headshotly.rights.states import Channel, Kind, Outcome, Regime, State
from headshotly.studio import leaving
from headshotly.studio import services as studio
from headshotly.studio import tasks as studio_tasks
from headshotly.studio.models import Headshot, KeptReceipt, Photo, Shoot
from headshotly.vault import services as vault
from headshotly.vault.errors import KeyShredded, StoreUnavailable
from headshotly.vault.models import StoredObject
from tests.rights.conftest import DPO, ask

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.clause("1.2.c")]
REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((REPOSITORY / "docs" / "formats" / "export.schema.json").read_text())
CANARY = "Kanarkowska-Zielonogorska"


def jpeg(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 50), (shade, 90, 120)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def pictures(person):
    """Two photos, one shoot and two headshots, sealed as the studio seals them but without its engine."""

    def sealed(kind: str, shade: int):
        return vault.seal(
            actor=person.actor, subject=person.id, kind=kind, purpose=HEADSHOT_GENERATION, plaintext=jpeg(shade)
        )

    photos = [
        Photo.objects.create(
            subject=person.id,
            object_id=sealed("photo", shade),
            preview_id=sealed("preview", shade),
            sentence="A good photo.",
            score=0.9,
            received_at=clock.now(),
        )
        for shade in (10, 20)
    ]
    shoot = Shoot.objects.create(
        subject=person.id,
        state="done",
        photo_ids=[str(photo.id) for photo in photos],
        style_ids=["white"],
        steps_total=4,
        created_at=clock.now(),
    )
    made = [
        Headshot.objects.create(
            subject=person.id,
            shoot=shoot,
            photo_id=photo.id,
            style_id="white",
            object_id=sealed("headshot", 200),
            preview_id=sealed("preview", 201),
            made_at=clock.now(),
        )
        for photo in photos
    ]
    return photos, made


def build(person) -> zipfile.ZipFile:
    asked = exports.ask(actor=person.actor, subject=person.id)
    tasks.build_export.call(str(asked.id))
    plain = exports.fetch(
        actor=person.actor, subject=person.id, export_id=asked.id, warrant=person.warrant("export-download")
    )
    return zipfile.ZipFile(io.BytesIO(b"".join(plain)))


def test_the_copy_holds_everything_and_its_hashes_hold(person, pictures) -> None:
    ask(person, text=CANARY)
    sequence_once()
    archive = build(person)
    assert archive.testzip() is None
    names = set(archive.namelist())
    photos, made = pictures
    assert {f"photos/{photo.id}.jpg" for photo in photos} <= names
    assert {f"headshots/{one.id}.jpg" for one in made} <= names
    manifest = json.loads(archive.read("manifest.json"))
    assert set(manifest["sha256"]) == names - {"manifest.json"}
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256(archive.read(name)).hexdigest() == digest
    data = json.loads(archive.read("data.json"))
    jsonschema.validate(data, SCHEMA)
    assert data["rooms"]["accounts"]["email"] == person.email
    assert CANARY in archive.read("data.json").decode()
    assert json.loads(archive.read("consents.json"))["consents"][0]["activity"] == HEADSHOT_GENERATION
    history = json.loads(archive.read("access-history.json"))
    assert history["checkpoint"]
    assert len(history["entries"]) >= 3
    with Image.open(io.BytesIO(archive.read(f"photos/{photos[0].id}.jpg"))) as picture:
        assert picture.size == (40, 50)


def test_a_copy_gives_no_means_to_a_thief(person, pictures) -> None:
    from headshotly.accounts.models import Customer

    archive = build(person)
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert Customer.objects.get(id=person.id).password.encode() not in everything
    assert b"totp" not in archive.read("data.json")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (ExportState.WAITING, "still being packed"),
        (ExportState.BUILDING, "still being packed"),
        (ExportState.FAILED, "could not be packed"),
    ],
)
def test_a_copy_that_is_not_ready_is_not_said_to_be_gone(person, state, said) -> None:
    export = exports.ask(actor=person.actor, subject=person.id)
    Export.objects.filter(id=export.id).update(state=state)
    with pytest.raises(NotNow, match=said):
        exports.fetch(actor=person.actor, subject=person.id, export_id=export.id, warrant=person.warrant("x"))


def test_the_request_is_answered_when_the_copy_is_ready_and_its_link_expires(person, pictures, later) -> None:
    build(person)
    export = Export.objects.get()
    assert (export.state, export.steps_done) == (ExportState.READY, export.steps_total)
    assert RightsRequest.objects.get(kind=Kind.EXPORT).state == State.ANSWERED
    later(days=7, seconds=1)
    with pytest.raises(NotFound):
        exports.fetch(actor=person.actor, subject=person.id, export_id=export.id, warrant=person.warrant("x"))
    assert exports.expire() == 1
    assert not StoredObject.objects.filter(kind="export").exists()
    export.refresh_from_db()
    assert export.state == ExportState.EXPIRED


def test_one_copy_at_a_time_and_another_persons_is_not_there(person, make_person) -> None:
    asked = exports.ask(actor=person.actor, subject=person.id)
    with pytest.raises(NotNow):
        exports.ask(actor=person.actor, subject=person.id)
    assert RightsRequest.objects.count() == 1, "the second request was not left behind"
    other = make_person("other@example.org")
    with pytest.raises(NotFound):
        exports.one_of(other.id, asked.id)


def test_a_copy_that_a_crash_left_is_packed_again_and_leaves_nothing(person, pictures, monkeypatch, later) -> None:
    asked = exports.ask(actor=person.actor, subject=person.id)

    class Killed(BaseException):
        pass

    real = services.answer

    def die(**_answer):
        raise Killed

    monkeypatch.setattr(services, "answer", die)
    with pytest.raises(Killed):
        tasks.build_export.call(str(asked.id))
    monkeypatch.setattr(services, "answer", real)
    assert Export.objects.get().state == ExportState.BUILDING
    tasks.build_export.call(str(asked.id))
    assert Export.objects.get().state == ExportState.READY
    assert StoredObject.objects.filter(kind="export").count() == 2
    later(hours=3)
    assert exports.expire() == 1
    assert StoredObject.objects.filter(kind="export").count() == 1


def test_a_run_that_was_overtaken_writes_nothing(person, pictures, monkeypatch) -> None:
    asked = exports.ask(actor=person.actor, subject=person.id)
    real = tasks.exporting.files

    def overtaken(*arguments, **named):
        content = real(*arguments, **named)
        yield next(content)
        tasks._begin(asked.id)
        yield from content

    monkeypatch.setattr(tasks.exporting, "files", overtaken)
    tasks.build_export.call(str(asked.id))
    assert Export.objects.get().state == ExportState.BUILDING
    assert not StoredObject.objects.filter(kind="export").exists()


def test_a_store_that_fails_ends_the_copy_in_plain_sight(person, monkeypatch) -> None:
    asked = exports.ask(actor=person.actor, subject=person.id)

    def fails(**_named):
        raise StoreUnavailable("The store does not answer.")

    monkeypatch.setattr(vault, "seal_stream", fails)
    tasks.build_export.call(str(asked.id))
    assert Export.objects.get().state == ExportState.FAILED
    assert RightsRequest.objects.get().state == State.OPEN, "the clock runs on for the DPO to see"


def test_a_process_asked_to_end_leaves_the_copy_for_the_next(person, monkeypatch) -> None:
    asked = exports.ask(actor=person.actor, subject=person.id)
    monkeypatch.setattr(studio_tasks.interruption, "is_set", lambda: True)
    with pytest.raises(studio_tasks.Interrupted):
        tasks.build_export.call(str(asked.id))
    assert Export.objects.get().state == ExportState.BUILDING


def test_the_access_reply_is_a_pdf_with_every_part_of_article_15(person, pictures) -> None:
    parts = access_reply._parts(
        access_reply.declared.privacy_notice(configuration.current().operator),
        rooms.export_all(person.id, person.warrant("access-request")),
        Regime.EITHER,
    )
    headings = " ".join(part.heading for part in parts)
    for word in ("answers", "basis", "comes from", "rights", "machines", "data itself"):
        assert word in headings
    data = access_reply.reply(
        actor=person.actor,
        subject=person.id,
        regime=Regime.EITHER,
        warrant=person.warrant("access-request"),
        language="en",
    )
    assert data.startswith(b"%PDF-")
    assert RightsRequest.objects.get(kind=Kind.KNOW).outcome == Outcome.GRANTED


# ── erasure ──────────────────────────────────────────────────────────────────


def tables():
    for room in ROOM_NAMES:
        if (REPOSITORY / "headshotly" / room / "activities.py").exists():
            importlib.import_module(f"headshotly.{room}.activities")
    return [model for model in apps.get_models() if model._meta.app_label in ROOM_NAMES]


def test_every_table_about_people_is_exported_and_erased_or_kept_for_a_reason() -> None:
    named = {table for room in rooms.ROOMS for table in room.tables}
    known = named | set(rooms.KEPT) | rooms.ABOUT_STAFF
    about = {f"{model._meta.app_label}.{model.__name__}" for model in tables() if is_personal(model)}
    assert about - known == set(), "add it to headshotly/rights/rooms.py, with its export and its erase"
    assert not named & set(rooms.KEPT)
    existing = {f"{model._meta.app_label}.{model.__name__}" for model in tables()}
    assert known - existing == set()
    assert all(reason for reason in rooms.KEPT.values())


def rows_about(subject) -> set[str]:
    """Return every table that still has a row with this pseudonym, by looking at every column that could hold it."""
    found = set()
    for model in tables():
        for field in model._meta.concrete_fields:
            if (
                isinstance(field.target_field if field.is_relation else field, columns.UUIDField)
                and model.objects.filter(**{field.attname: subject}).exists()
            ):
                found.add(f"{model._meta.app_label}.{model.__name__}")
    return found


def everything_stored() -> bytes:
    """Return every byte of the data folder and every value of every table."""
    pieces = [path.read_bytes() for path in configuration.current().data_folder.rglob("*") if path.is_file()]
    for alias in ("default", "journal", "keys"):
        with connections[alias].cursor() as cursor:
            for table in connections[alias].introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{table}"')
                for row in cursor.fetchall():
                    pieces += [bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for v in row]
    return b"\x00".join(pieces)


def full_life(make_person, later):
    """A customer with a canary in every place a person can write to."""
    person = make_person("zielonogorska.kanarkowska@example.org")
    from headshotly.accounts import services as accounts
    from headshotly.accounts.models import Customer

    accounts.change_name(actor=person.actor, customer=Customer.objects.get(id=person.id), name=CANARY)
    request = ask(person, text=f"My name is {CANARY}.")
    services.answer(actor=DPO, request_id=request.id, reply=f"Dear {CANARY}, it is done.")
    ask(person, Kind.OBJECT, text=f"{CANARY} objects.")
    choices.record(actor=person.actor, subject=person.id, kind=Kind.OPT_OUT, channel=Channel.ACCOUNT)
    retention.choose(actor=person.actor, subject=person.id, limit="photos", days=90)
    restrictions.restrict(
        actor=person.actor, subject=person.id, activity=HEADSHOT_GENERATION, ground=RestrictionGround.CUSTOMER
    )
    return person


def test_after_erasure_no_store_holds_anything_of_them(make_person, later, pictures) -> None:
    person = full_life(make_person, later)
    build(person)
    canaries = [CANARY.encode(), b"zielonogorska.kanarkowska", CANARY.encode("utf-16-le")]
    before = everything_stored()
    assert all(canary not in before for canary in canaries), "it was never readable in the first place"
    requests = list(RightsRequest.objects.filter(subject=person.id))
    assert rows_about(person.id) >= {"accounts.Customer", "rights.RightsRequest", "rights.Export", "purposes.Consent"}
    receipt_id = erasure.erase_everything(actor=person.actor, subject=person.id)
    sequence_once()
    after = everything_stored()
    assert all(canary not in after for canary in canaries)
    for request in requests:
        # Pages of the database that are not overwritten yet hold ciphertext, and nothing opens it any more.
        with pytest.raises(KeyShredded):
            services.read_words(request=request, warrant=person.warrant())
    kept = rows_about(person.id)
    assert kept <= {"rights.RightsRequest", "audit.Entry", "vault.DeletionReceipt"}, kept
    assert not RightsRequest.objects.filter(subject=person.id, words__isnull=False).exists()
    assert RightsRequest.objects.get(subject=person.id, kind=Kind.DELETE).outcome == Outcome.GRANTED
    assert KeptReceipt.objects.filter(id=receipt_id).exists()
    verify()  # a journal that lost a leaf would say so


def test_what_a_law_keeps_is_named_in_the_receipt(person, monkeypatch) -> None:
    monkeypatch.setattr(leaving, "_KEPT", [lambda subject: [f"invoice 7 of {str(subject)[:4]} (five years)"]])
    receipt_id = erasure.erase_everything(actor=person.actor, subject=person.id)
    statement = KeptReceipt.objects.get(id=receipt_id).document["statement"]
    assert statement["kept_by_law"] == [f"invoice 7 of {str(person.id)[:4]} (five years)"]


def test_an_erasure_on_the_old_page_is_on_record_too(person) -> None:
    studio.delete_everything(actor=person.actor, subject=person.id)
    assert RightsRequest.objects.get(subject=person.id).state == State.ANSWERED


def test_parts_go_and_the_account_stays(person, pictures) -> None:
    for parts in ([], ["soul"]):
        with pytest.raises(Incomplete):
            erasure.erase_parts(actor=person.actor, subject=person.id, parts=parts)
    assert erasure.erase_parts(actor=person.actor, subject=person.id, parts=["headshots"]) == 2
    assert (Photo.objects.count(), Headshot.objects.count()) == (2, 0)
    assert erasure.erase_parts(actor=person.actor, subject=person.id, parts=["photos"]) == 2
    assert not StoredObject.objects.filter(subject=person.id).exists()
    assert RightsRequest.objects.filter(state=State.ANSWERED).count() == 2


def test_time_to_think_and_calling_it_off(person, later) -> None:
    with pytest.raises(Incomplete):
        erasure.plan(actor=person.actor, subject=person.id, days=3)
    erasure.plan(actor=person.actor, subject=person.id, days=7)
    with pytest.raises(NotNow):
        erasure.plan(actor=person.actor, subject=person.id, days=14)
    later(days=6)
    assert erasure.run_due() == (0, 0)
    erasure.cancel_plan(actor=person.actor, subject=person.id)
    with pytest.raises(NotFound):
        erasure.cancel_plan(actor=person.actor, subject=person.id)
    assert RightsRequest.objects.get().state == State.WITHDRAWN
    erasure.plan(actor=person.actor, subject=person.id, days=7)
    later(days=8)
    assert erasure.run_due() == (1, 0)
    assert "accounts.Customer" not in rows_about(person.id)
    assert not ErasurePlan.objects.exists()


def test_a_planned_erasure_that_fails_is_tried_again_and_keeps_nobody_waiting(make_person, later, monkeypatch) -> None:
    first, second = make_person("one@example.org"), make_person("two@example.org")
    for person in (first, second):
        erasure.plan(actor=person.actor, subject=person.id, days=7)
    later(days=8)
    real = studio.delete_everything

    def fails_for_the_first(*, actor, subject):
        if subject == first.id:
            raise StoreUnavailable("The store does not answer.")
        return real(actor=actor, subject=subject)

    monkeypatch.setattr(studio, "delete_everything", fails_for_the_first)
    assert erasure.run_due() == (1, 1)
    monkeypatch.setattr(studio, "delete_everything", real)
    assert erasure.run_due() == (1, 0)


@pytest.mark.parametrize("when", ["after the key", "after everything"])
def test_an_erasure_that_a_crash_broke_off_is_finished_and_answered(person, pictures, monkeypatch, when) -> None:
    class Killed(BaseException):
        pass

    place = (vault, "shred") if when == "after the key" else (services, "answer")
    real = getattr(*place)

    def killed(**named):
        if when == "after the key":
            vault.shred_key(actor=named["actor"], subject=named["subject"])
        raise Killed

    monkeypatch.setattr(*place, killed)
    with pytest.raises(Killed):
        erasure.erase_everything(actor=person.actor, subject=person.id)
    monkeypatch.setattr(*place, real)
    assert erasure.finish_interrupted() == 1
    assert erasure.finish_interrupted() == 0
    assert RightsRequest.objects.get(kind=Kind.DELETE).state == State.ANSWERED
    assert "accounts.Customer" not in rows_about(person.id)
    assert KeptReceipt.objects.count() == 1


# ── time limits ──────────────────────────────────────────────────────────────


def test_every_declared_limit_has_its_sweep_and_every_sweep_its_limit() -> None:
    tables()
    assert set(sweeper.SWEEPS) == set(limits())


@pytest.mark.clause("1.1.d")
def test_photos_go_after_thirty_days_by_themselves_and_headshots_stay(person, pictures, later) -> None:
    later(days=29, hours=23)
    assert sweeper.sweep()["photos"] == 0
    later(hours=2)
    assert sweeper.sweep()["photos"] == 2
    assert (Photo.objects.count(), Headshot.objects.count()) == (0, 2)
    assert StoredObject.objects.filter(kind="photo").count() == 0
    later(days=4000)
    assert sweeper.sweep()["headshots"] == 0


def test_the_customers_choice_counts_for_theirs_alone(make_person, person, pictures, later) -> None:
    retention.choose(actor=person.actor, subject=person.id, limit="photos", days=90)
    retention.choose(actor=person.actor, subject=person.id, limit="headshots", days=30)
    later(days=31)
    found = sweeper.sweep()
    assert (found["photos"], found["headshots"]) == (0, 2)
    later(days=60)
    assert sweeper.sweep()["photos"] == 2


def test_an_unused_account_goes_only_where_its_owner_chose_so_and_after_a_notice(make_person, later) -> None:
    from tests.accounts.conftest import mail_text, mails

    chose, other = make_person("chose@example.org"), make_person("other@example.org")
    retention.choose(actor=chose.actor, subject=chose.id, limit="unused-account", days=365)
    later(days=366)
    assert sweeper.sweep()["unused-account"] == 1
    assert sweeper.sweep()["unused-account"] == 0
    assert "call it off" in mail_text(mails()[-1])
    assert erasure.run_due() == (0, 0)
    later(days=31)
    assert erasure.run_due() == (1, 0)
    assert rows_about(other.id) >= {"accounts.Customer"}
    assert "accounts.Customer" not in rows_about(chose.id)


# ── a person in somebody else's photo ────────────────────────────────────────


def test_an_objection_to_a_photo_stops_work_then_removes_it_with_its_results(person, pictures) -> None:
    from headshotly.purposes.errors import ProcessingRestricted
    from headshotly.rights import asking
    from headshotly.rights.services import Words

    photos, _ = pictures
    words = Words(text="That is me.", email="me@example.org", uploader=person.email)
    received = asking.by_stranger(kind=Kind.PHOTO, regime=Regime.GDPR, words=words)
    request_id = received.request.id
    objections.pause(actor=DPO, request_id=request_id, subject=person.id)
    with pytest.raises(ProcessingRestricted):
        studio.start_shoot(actor=person.actor, subject=person.id, photo_ids=[photos[0].id], style_ids=["white"])
    with pytest.raises(NotNow):
        objections.uphold(actor=DPO, request_id=request_id, subject=person.id, photo_ids=[])
    gone = objections.uphold(actor=DPO, request_id=request_id, subject=person.id, photo_ids=[photos[0].id])
    assert gone == 2
    assert (Photo.objects.count(), Headshot.objects.count()) == (1, 1)
    assert restrictions.in_force(person.id) == []
    with pytest.raises(NotFound):
        objections.pause(actor=DPO, request_id=uuid4(), subject=person.id)
