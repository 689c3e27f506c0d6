"""What a customer deleted piece by piece after a backup does not come back with it."""

import datetime as dt
import shutil
import uuid

import pytest

from headshotly.audit.actor import SYSTEM
from headshotly.continuity import mirroring, places, services
from headshotly.policy import clock
from headshotly.rights import erasure
from headshotly.studio import services as studio
from headshotly.studio.models import Headshot, Photo, Shoot, ShootState
from headshotly.vault import services as vault
from headshotly.vault import wiring
from tests.continuity.conftest import DATABASES
from tests.continuity.test_backup_and_restore import back_up

pytestmark = pytest.mark.django_db(transaction=True, databases=DATABASES)
LEFT = (
    "from headshotly.studio.models import Headshot, Photo\nfrom headshotly.vault.models import StoredObject\n"
    "from headshotly.vault import wiring\n"
    "answer = [sorted(str(one) for one in Photo.objects.values_list('id', flat=True)),\n"
    "  sorted(str(one) for one in Headshot.objects.values_list('id', flat=True)),\n"
    "  sorted(str(one) for one in StoredObject.objects.values_list('id', flat=True)),\n"
    "  sorted(str(one) for _, one in wiring.object_store().objects(before=dt.datetime(9999, 1, 1, tzinfo=dt.UTC)))]"
)


def in_place(place):
    return place.python(f"import datetime as dt\n{LEFT}")


def sealed(person, kind: str) -> uuid.UUID:
    return vault.seal(
        actor=person.actor, subject=person.id, kind=kind, purpose="headshot-generation", plaintext=b"a face" * 99
    )


def photo_of(person) -> Photo:
    return Photo.objects.create(
        subject=person.id, object_id=sealed(person, "photo"), preview_id=sealed(person, "preview"),
        sentence="Good.", score=1, received_at=clock.now(),
    )  # fmt: skip


def headshot_of(person, photo: Photo) -> Headshot:
    shoot = Shoot.objects.create(
        subject=person.id, state=ShootState.DONE, photo_ids=[str(photo.id)], style_ids=["cv"], steps_done=1,
        steps_total=1, created_at=clock.now(), finished_at=clock.now(),
    )  # fmt: skip
    return Headshot.objects.create(
        subject=person.id, shoot=shoot, photo_id=photo.id, style_id="cv", object_id=sealed(person, "headshot"),
        preview_id=sealed(person, "preview"), made_at=clock.now(),
    )  # fmt: skip


@pytest.mark.clause("1.2.c", "6.2.b")
def test_a_photo_and_a_headshot_that_were_deleted_stay_deleted_after_an_older_backup_is_restored(living, place):
    ada, bert = living.people["ada"], living.people["bert"]
    deleted, kept = photo_of(ada), photo_of(bert)
    headshot = headshot_of(bert, kept)
    (canary, *_) = living.objects
    back_up()
    studio.delete_photo(actor=ada.actor, subject=ada.id, photo_id=deleted.id)
    studio.delete_headshot(actor=bert.actor, subject=bert.id, headshot_id=headshot.id)
    vault.destroy(actor=SYSTEM, object_id=canary)
    services.mirror()
    gone = {deleted.object_id, deleted.preview_id, headshot.object_id, headshot.preview_id, canary}
    report = place.restore()
    assert set(report["withheld"]) == {str(one) for one in gone}
    assert (report["destroyed"], report["revived"], report["missing"]) == (5, 0, [])
    photos, headshots, rows, objects = in_place(place)
    assert photos == [str(kept.id)]
    assert headshots == []
    assert rows == objects == sorted(
        str(one) for one in {*living.objects, kept.object_id, kept.preview_id} - gone
    )  # fmt: skip
    said = place.run("restore", "--objects")
    assert "0 are back" in said.stdout, said.stderr
    assert place.run("journal", "verify").returncode == 0


@pytest.mark.clause("6.2.b")
def test_what_was_destroyed_by_mistake_comes_back_when_asked_for_but_nobody_erased(living, place):
    ada, bert = living.people["ada"], living.people["bert"]
    early, late = photo_of(bert), photo_of(bert)
    back_up()
    studio.delete_photo(actor=bert.actor, subject=bert.id, photo_id=early.id)
    moment = clock.now()
    studio.delete_photo(actor=SYSTEM, subject=bert.id, photo_id=late.id)
    vault.destroy(actor=SYSTEM, object_id=next(iter(living.objects)))
    erasure.erase_everything(actor=ada.actor, subject=ada.id)
    services.mirror()
    report = place.restore("--destroyed-since", moment.isoformat())
    assert report["revived"] == 2
    assert set(report["withheld"]) == {str(early.object_id), str(early.preview_id)}
    photos, _, _, objects = in_place(place)
    assert photos == [str(late.id)]
    assert {str(late.object_id), str(late.preview_id)} <= set(objects)
    noted = place.python(
        "from headshotly.vault import wiring\n"
        "answer = sorted(str(one) for one in wiring.destruction_ledger().destroyed())\n"
    )
    assert not {str(late.object_id), str(late.preview_id)} & set(noted), "the next restore would destroy them again"
    entries = place.python(
        "from headshotly.audit.models import Entry\n"
        "answer = [bytes(leaf).decode(errors='replace') for leaf in Entry.objects.values_list('leaf', flat=True)]"
    )
    assert any("2 destroyed objects were brought back" in one for one in entries)


@pytest.mark.clause("6.2.b")
def test_an_object_whose_destruction_began_is_not_brought_back_into_a_living_system(living, backups):
    """The crash: noted, its bytes gone, its row still there."""
    back_up()
    object_id, (person, _) = next(iter(living.objects.items()))
    wiring.destruction_ledger().note({object_id: clock.now()})
    wiring.object_store().delete(person.id, object_id)
    assert services.restore_objects(actor=SYSTEM).back == []
    vault.destroy(actor=SYSTEM, object_id=object_id)
    assert services.restore_objects(actor=SYSTEM).nowhere == []


def test_the_mirrors_keep_what_a_lost_disk_forgot_until_no_backup_is_as_old(living, backups, monkeypatch):
    ledger, old = wiring.destruction_ledger(), uuid.uuid4()
    long_ago = clock.now() - dt.timedelta(days=400)
    ledger.note({old: long_ago})
    object_id = next(iter(living.objects))
    vault.destroy(actor=SYSTEM, object_id=object_id)
    back_up()
    services.mirror()
    for folder in ledger._folders:
        shutil.rmtree(folder)
    later = uuid.uuid4()
    ledger.note({later: clock.now()})
    services.mirror()
    for store in places.stores():
        told = mirroring.read_destructions([store])
        named = {line.partition(" ")[0] for lines in told.values() for line in lines}
        assert named == {str(one) for one in (old, object_id, later)}
    services.prune(actor=SYSTEM)
    for store in places.stores():
        assert long_ago.date() not in mirroring.read_destructions([store])
        assert clock.now().date() in mirroring.read_destructions([store])


def test_a_mirror_that_is_silent_is_said_and_the_other_suffices(living, place, backups):
    back_up()
    object_id = next(iter(living.objects))
    vault.destroy(actor=SYSTEM, object_id=object_id)
    services.mirror()
    shutil.rmtree(backups / "stockholm" / "mirror")
    (backups / "stockholm" / "mirror").write_text("not a folder")
    report = place.restore()
    assert report["withheld"] == [str(object_id)]
    assert any("could not be read" in one for one in report["warnings"])
