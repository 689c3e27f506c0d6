"""A backup is a restore: everything back, checked, and nobody who was deleted."""

import pytest

from headshotly.audit.actor import SYSTEM
from headshotly.continuity import catalogue, places, restoring, services
from headshotly.continuity.models import BackupRecord, BackupState
from headshotly.rights import erasure
from headshotly.vault import services as vault
from headshotly.vendors import gate
from tests.continuity.conftest import DATABASES, EAST, NORTH

pytestmark = pytest.mark.django_db(transaction=True, databases=DATABASES)


def back_up() -> BackupRecord:
    record = services.back_up(actor=SYSTEM)
    assert record.state == BackupState.COMPLETE, record.sentence
    return record


@pytest.mark.clause("6.1.a", "6.1.b", "6.2.b")
def test_everything_comes_back_into_an_empty_place(living, place):
    record = back_up()
    assert record.held_by == [EAST, NORTH]
    assert record.object_count == 3
    report = place.restore()
    assert (report["objects"], report["missing"], report["keyless"]) == (3, [], [])
    assert report["checkpoint"] > 0
    assert place.opens(living) == {object_id: content.decode() for object_id, (_, content) in living.objects.items()}
    verified = place.run("journal", "verify")
    assert verified.returncode == 0, verified.stderr
    assert place.run("keys", "status").returncode == 0
    listed = place.run("backup", "list")
    assert str(record.id) in listed.stdout


@pytest.mark.clause("1.2.c", "6.2.b")
def test_a_deleted_customer_stays_deleted_after_an_older_backup_is_restored(living, place):
    """The canary is in the backup; the customer was deleted after it was made."""
    back_up()
    ada = living.people["ada"]
    erasure.erase_everything(actor=ada.actor, subject=ada.id)
    services.mirror()
    report = place.restore()
    assert (report["objects"], report["erased"], report["erased_again"]) == (1, 1, 1)
    assert place.opens(living) == {
        object_id: "vault.object_missing" if person is ada else content.decode()
        for object_id, (person, content) in living.objects.items()
    }
    left = place.python(
        "from django.apps import apps\nfrom headshotly.vault import wiring\nfrom uuid import UUID\n"
        f"who = UUID('{ada.id}')\n"
        "answer = [m._meta.label for m in apps.get_models() for f in m._meta.fields\n"
        "  if f.name == 'subject' and m.objects.filter(subject=who).exists()]\n"
        "from headshotly.accounts.models import Customer\n"
        "answer = [sorted(answer), Customer.objects.filter(id=who).count(), len(wiring.key_store().replicas(who)),\n"
        "  wiring.object_store().remnants(who)]"
    )
    tables, accounts, keys, remnants = left
    assert (accounts, keys, remnants) == (0, 0, [])
    # What stays of somebody erased is what the living system keeps as well: the journal and the proof of deletion.
    assert set(tables) <= {"audit.Entry", "vault.DeletionReceipt", "rights.RightsRequest"}


@pytest.mark.clause("1.2.c")
def test_a_deletion_that_reached_one_region_only_counts(living, place, backups):
    """The other region's mirror is as it was before the deletion: key still there, ledger empty."""
    import shutil

    back_up()
    old = backups / "stockholm" / "mirror"
    shutil.copytree(old, backups / "kept")
    ada = living.people["ada"]
    erasure.erase_everything(actor=ada.actor, subject=ada.id)
    services.mirror()
    shutil.rmtree(old)
    shutil.move(backups / "kept", old)
    report = place.restore()
    assert report["erased_again"] == 1
    assert place.opens(living)[next(iter(living.objects))] == "vault.object_missing"


def test_the_mirror_forgets_a_destroyed_key_and_overwrites_it(living, backups):
    ada = living.people["ada"]
    services.mirror()
    names = list(backups.glob(f"*/mirror/keys/*/{ada.id.hex}.key"))
    assert len(names) == 2
    watched = [path.open("rb") for path in names]
    vault.shred(actor=ada.actor, subject=ada.id)
    found = services.mirror()
    assert [one.removed for one in found] == [1, 1]
    assert not any(path.exists() for path in names)
    for file in watched:
        assert file.read().strip(b"\x00") == b"", "the wrapped key is still on the disk"
        file.close()


def test_a_second_backup_writes_only_what_is_new(living, place):
    first = back_up()
    second = back_up()
    assert second.written_bytes < first.written_bytes / 2
    living.add("carl", b"new canary" * 400_000)
    third = back_up()
    assert 2 * 4_000_000 < third.written_bytes < 2 * 4_000_000 + first.written_bytes
    assert place.restore()["objects"] == 4
    found = catalogue.look(places.stores(), places.key_service())
    assert [one.manifest.generation for one in found.backups] == [3, 2, 1]


def test_a_point_in_time(living, make_place):
    first = back_up()
    living.add("carl", b"later canary")
    second = back_up()
    early, exact = make_place(), make_place()
    assert early.restore("--at", first.snapshot_at.isoformat())["backup"] == str(first.id)
    assert exact.restore("--backup", str(second.id))["objects"] == 4
    none = make_place().run("restore", "--at", "2001-01-01")
    assert none.returncode == 1
    assert "No store that answered has the backup" in none.stderr


def test_a_place_in_use_is_refused_and_left_alone(living, place):
    back_up()
    place.restore()
    before = sorted((path, path.stat().st_size) for path in (place.folder / "data" / "objects").rglob("*.sealed"))
    again = place.run("restore")
    assert again.returncode == 1
    assert "nothing was changed" in again.stderr
    assert before == sorted((p, p.stat().st_size) for p in (place.folder / "data" / "objects").rglob("*.sealed"))
    assert place.run("journal", "verify").returncode == 0


def test_no_canary_lies_readable_in_any_store(living, backups):
    back_up()
    for path in backups.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"canary" not in content
            assert b"example.org" not in content
            assert b"SQLite format" not in content


@pytest.mark.clause("6.2.b")
def test_the_way_to_the_backups_is_open_while_the_register_is_still_in_them_and_no_longer(monkeypatch):
    """On AWS nothing could be read otherwise: an empty place has no register, not even the tables of one."""
    asked = []

    def ask(_restore) -> None:
        asked.append(gate.require("kms.eu-central-1.amazonaws.com"))
        raise RuntimeError

    monkeypatch.undo()  # the real gate
    monkeypatch.setattr(restoring._Restore, "go", ask)
    with pytest.raises(RuntimeError):
        restoring.restore(restoring.Wanted(), lambda *_: None)
    assert asked == ["aws"]
    assert not gate._rebuilding.is_set()
