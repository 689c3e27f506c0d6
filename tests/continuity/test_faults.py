"""What goes wrong: each fault says what it is, and nothing is silently missing."""

import datetime as dt
import errno
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from django.db import connections

from headshotly.audit.actor import SYSTEM
from headshotly.continuity import backing_up, catalogue, databases, places, pruning, selectors, services, stores
from headshotly.continuity.errors import BackupIncomplete, Busy, DatabaseUnfit, NoBackup, PlacesRefused
from headshotly.continuity.models import BackupRecord, BackupState
from headshotly.continuity.progress import silence
from headshotly.policy import clock, configuration
from headshotly.vault import wiring
from headshotly.vault.embedded_keys import EmbeddedKeyService
from headshotly.vault.errors import KeyServiceUnavailable, StoreFull, StoreUnavailable
from tests.continuity.conftest import DATABASES, EAST, NORTH

pytestmark = pytest.mark.django_db(transaction=True, databases=DATABASES)
HEAVY = b"a picture of some size " * 40_000


def back_up(state=BackupState.COMPLETE) -> BackupRecord:
    record = services.back_up(actor=SYSTEM)
    assert record.state == state, record.sentence
    return record


def found():
    return catalogue.look(places.stores(), places.key_service())


# ---- killed anywhere


def _die_at(step: int) -> None:
    """Back up in this child, and be killed at the step-th change of the disk that concerns a store."""
    from headshotly.vault import durable

    left = [step]
    real = {"fsync": os.fsync}
    real_replace, real_unlink = durable.Path.replace, durable.Path.unlink

    def before(function):
        def run(*args, **kwargs):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return function(*args, **kwargs)

        return run

    os.fsync = before(real["fsync"])
    durable.Path.replace, durable.Path.unlink = before(real_replace), before(real_unlink)
    connections.close_all()
    services.back_up(actor=SYSTEM)


def test_kill_9_at_changes_all_over_a_backup(living, place, repositories):
    """Forty deaths, each at another change; after each the older backup stands, and the next one is whole."""
    first = back_up()
    killed, step = 0, 0
    while killed < 40:
        if killed % 10 == 0:
            living.add("ada", f"canary {killed}".encode() * 1000)
        connections.close_all()
        child = os.fork()
        if child == 0:
            try:
                _die_at(step)
            except BaseException:
                os._exit(3)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0, "the child failed in another way"
            step = 0
            continue
        assert os.WTERMSIG(status) == signal.SIGKILL
        killed += 1
        step += random.Random(killed).choice([1, 2, 3])
        state = found()
        assert not state.damaged, "a manifest is torn"
        assert first.id in {one.manifest.id for one in state.backups}
        for one in state.backups:
            for blob in one.contents().blobs():
                for store in one.stores:
                    path = repositories[store.region] / blob.name
                    assert path.stat().st_size == blob.size, "a manifest names what is not there"
    record = back_up()
    assert not list(configuration.current().data_folder.glob("backup-scratch-*"))
    assert services.check(actor=SYSTEM).whole
    assert not BackupRecord.objects.filter(state=BackupState.RUNNING).exists()
    report = place.restore("--backup", str(record.id))
    assert report["objects"] == len(living.objects)
    assert report["missing"] == []


def test_a_restore_that_is_killed_leaves_a_closed_place_and_begins_anew(living, place):
    for count in range(6):
        living.add("carl", HEAVY + bytes([count]))
    back_up()
    mark = place.folder / "data" / "restoring.json"
    for delay in (0.0, 0.1, 0.3):
        process = subprocess.Popen(
            [sys.executable, "-m", "headshotly.frontdoor", "restore"],
            env=place.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while process.poll() is None and not mark.exists():
            time.sleep(0.01)
        time.sleep(delay)
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
        assert mark.exists()
    for command in (["serve"], ["serve", "web"], ["worker"], ["sequencer", "--once"], ["duties", "now", "vault.sweep"]):
        refused = place.run(*command)
        assert refused.returncode == 1
        assert "This place is being restored" in refused.stderr
    report = place.restore()
    assert report["objects"] == len(living.objects)
    assert not (place.folder / "data" / "restoring.json").exists()
    assert place.run("journal", "verify").returncode == 0


def test_two_backups_at_once_are_refused():
    with backing_up.alone(), pytest.raises(Busy):
        services.back_up(actor=SYSTEM)


# ---- stores


class Failing:
    """A repository that fails from its n-th write on, before or after doing it."""

    def __init__(self, real, error, *, after: int, happened: bool) -> None:
        self._real, self._error, self._left, self._happened = real, error, after, happened
        self.locks = real.locks

    def __getattr__(self, name):
        return getattr(self._real, name)

    def put(self, name, pieces, *, until):
        self._left -= 1
        if self._left < 0:
            if self._happened:
                self._real.put(name, pieces, until=until)
            raise self._error
        return self._real.put(name, pieces, until=until)


def break_store(monkeypatch, region, error, *, after=0, happened=False):
    import dataclasses

    made = tuple(
        dataclasses.replace(one, repository=Failing(one.repository, error, after=after, happened=happened))
        if one.region == region
        else one
        for one in places.stores()
    )
    monkeypatch.setattr(places, "stores", lambda: made)


@pytest.mark.parametrize("happened", [False, True])
@pytest.mark.parametrize("after", [0, 3, 1000])
def test_a_full_store_is_said_and_the_other_has_everything(living, place, monkeypatch, after, happened):
    error = StoreFull("There is no storage space left, so nothing was saved. Please try again later.")
    with monkeypatch.context() as patch:
        break_store(patch, NORTH, error, after=after, happened=happened)
        record = services.back_up(actor=SYSTEM)
    if after == 1000:
        assert record.state == BackupState.COMPLETE
        return
    assert record.state == BackupState.INCOMPLETE
    assert record.held_by == [EAST]
    assert "There is no storage space left" in record.sentence
    with pytest.raises(BackupIncomplete, match="no storage space"):
        services.require_complete(record)
    assert selectors.newest_whole_backup() is None
    if after:
        return
    assert place.restore("--from", EAST)["objects"] == 3
    # The store is back: the next backup is whole in both, and reading brings the old one over as well.
    assert back_up().held_by == [EAST, NORTH]
    assert services.check(actor=SYSTEM).copied == 1
    assert all(len(one.stores) == 2 for one in found().backups)


def test_a_really_full_disk(living, monkeypatch):
    """The system itself says that there is no room, in the middle of a file."""
    from headshotly.vault import durable

    real = durable._write_scratch
    count = [0]

    def full(path, pieces):
        if "stockholm/repository" in str(path):
            count[0] += 1
            if count[0] > 2:
                raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, pieces)

    monkeypatch.setattr(durable, "_write_scratch", full)
    record = services.back_up(actor=SYSTEM)
    assert (record.state, record.held_by) == (BackupState.INCOMPLETE, [EAST])
    assert "There is no storage space left" in record.sentence


def test_no_store_answers(living, monkeypatch):
    back_up()
    error = StoreUnavailable("The storage could not be reached. Please try again later.")

    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(stores.FolderRepository, "kept", fail)
    with pytest.raises(StoreUnavailable, match="No backup store answers"):
        services.back_up(actor=SYSTEM)
    assert BackupRecord.objects.order_by("-began_at").first().state == BackupState.FAILED
    with pytest.raises(BackupIncomplete):
        services.prune(actor=SYSTEM)


def test_a_store_that_gives_back_other_bytes_is_found_out(living, monkeypatch):
    real = stores.FolderRepository.read

    def flipped(self, name):
        for piece in real(self, name):
            yield bytes([piece[0] ^ 1]) + piece[1:] if "stockholm" in str(self._folder) else piece

    monkeypatch.setattr(stores.FolderRepository, "read", flipped)
    record = services.back_up(actor=SYSTEM)
    assert (record.state, record.held_by) == (BackupState.INCOMPLETE, [EAST])
    assert "gives back other bytes" in record.sentence


@pytest.mark.clause("6.1.b")
def test_one_region_gone(living, place, backups):
    back_up()
    shutil.rmtree(backups / "frankfurt")
    report = place.restore()
    assert (report["objects"], report["missing"]) == (3, [])
    assert any("no mirror" in warning for warning in report["warnings"])
    # The region is rebuilt by the next backup and check.
    assert back_up().held_by == [EAST, NORTH]
    assert services.check(actor=SYSTEM).whole


@pytest.mark.clause("6.1.b", "2.2")
@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("folder:/a@eu-central-1", "two different regions"),
        ("folder:/a@eu-central-1,folder:/b@eu-central-1", "two different regions"),
        ("folder:/a@eu-central-1,folder:/b@us-east-1", "not a region in the European Union"),
        ("folder:/a@eu-central-1,folder:/b@eu-west-2", "not a region in the European Union"),
        ("folder:/a@eu-central-1,/b", "names no backup store"),
        ("s3:one@eu-central-1,folder:/b@eu-north-1", "second bucket"),
    ],
)
def test_fewer_than_two_regions_of_the_union_are_refused(configured, written, sentence):
    configured(written)
    with pytest.raises(PlacesRefused, match=sentence):
        services.back_up(actor=SYSTEM)
    assert not BackupRecord.objects.filter(state=BackupState.COMPLETE).exists()
    assert not selectors.mirror_standing().good


@pytest.mark.clause("6.1.b")
def test_production_has_no_default_stores_and_wants_two_disks(configured, tmp_path):
    configured("", environment="production")
    with pytest.raises(PlacesRefused, match="two different regions"):
        places.stores()
    configured(f"folder:{tmp_path / 'a'}@eu-central-1,folder:{tmp_path / 'b'}@eu-north-1", environment="production")
    with pytest.raises(PlacesRefused, match="same disk"):
        places.stores()


@pytest.fixture
def configured(settings):
    import dataclasses

    def configure(written, **more):
        options = {**settings.HEADSHOTLY.options, "backup.stores": written}
        settings.HEADSHOTLY = dataclasses.replace(settings.HEADSHOTLY, options=options, **more)
        places.rewire()

    yield configure
    places.rewire()


# ---- bit rot


def flip(path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def test_bit_rot_in_any_file_of_one_store_is_found_and_healed_and_does_not_stop_a_restore(
    living, make_place, repositories
):
    back_up()
    rotten = sorted(path for path in repositories[EAST].rglob("*") if path.is_file())
    assert len(rotten) > 6
    for path in rotten:
        flip(path)
    place = make_place()
    report = place.restore()
    assert (report["objects"], report["missing"]) == (3, [])
    assert any("damaged or forged" in warning for warning in report["warnings"])
    checked = services.check(actor=SYSTEM)
    by_region = {one.region: one for one in checked.stores}
    blobs = len(rotten) - 1
    assert (by_region[EAST].damaged, by_region[EAST].healed, by_region[NORTH].damaged) == (blobs, blobs, 0)
    assert not checked.whole, "the torn manifest is reported once, and written anew"
    assert services.check(actor=SYSTEM).whole


def test_the_same_object_rotten_in_both_stores_is_missed_by_name(living, place, repositories):
    back_up()
    subject, contents = living.people["bert"].id, found().newest().contents()
    copy = next(copy for copy in contents.objects if copy.subject == subject)
    for folder in repositories.values():
        flip(folder / copy.blob.name)
    done = place.run("restore")
    assert done.returncode == 1
    assert "The place stays closed: 1 objects are in no store" in done.stderr
    refused = place.run("serve", "web")
    assert "This place is being restored" in refused.stderr
    # The object store still has it: reading through heals both stores from there, and the restore then opens.
    assert services.check(actor=SYSTEM).whole
    assert place.restore()["objects"] == 3


def test_losses_can_be_accepted_and_the_journal_says_so(living, place, repositories):
    back_up()
    copy = found().newest().contents().objects[0]
    for folder in repositories.values():
        (folder / copy.blob.name).unlink()
    report = place.restore("--accept-losses")
    assert report["missing"] == [str(copy.object_id)]
    assert place.run("journal", "verify").returncode == 0


def test_a_rotten_piece_of_the_database_in_both_stores_stops_the_restore(living, place, repositories):
    back_up()
    part = found().newest().contents().databases["default"]
    for folder in repositories.values():
        flip(folder / part.chunks[-1].blob.name)
    done = place.run("restore")
    assert done.returncode == 1
    assert "missing or damaged in every store" in done.stderr
    assert place.run("sequencer", "--once").returncode == 1


def test_an_object_that_rots_in_the_object_store_is_not_believed_and_comes_back(living):
    back_up()
    wanted, (person, _) = next(iter(living.objects.items()))
    path = wiring.object_store()._path(person.id, wanted)
    sealed = path.read_bytes()
    path.unlink()
    record = back_up(BackupState.INCOMPLETE)
    assert "missing or damaged in the object store and whole in the backup" in record.sentence
    done = services.restore_objects(actor=SYSTEM, subject=person.id)
    assert done.back == [wanted]
    assert path.read_bytes() == sealed
    flip(path)
    assert services.restore_objects(actor=SYSTEM).back == [wanted]
    assert path.read_bytes() == sealed
    back_up()


def test_an_object_that_is_nowhere_makes_the_backup_incomplete(living):
    wanted, (person, _) = next(iter(living.objects.items()))
    wiring.object_store()._path(person.id, wanted).unlink()
    record = back_up(BackupState.INCOMPLETE)
    assert "1 objects are named by the database and are nowhere" in record.sentence
    assert record.missing == 1


# ---- keys


def test_the_wrong_key_is_refused_before_anything_is_touched(living, place, tmp_path):
    back_up()
    other = tmp_path / "other"
    other.mkdir()
    EmbeddedKeyService(other / "backup-root-keys.json").current_root()
    done = place.run("restore", HEADSHOTLY_OPTION_BACKUP__KEYS_FOLDER=str(other))
    assert done.returncode == 1
    assert "headshotly: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (place.folder / "data" / "restoring.json").exists()
    assert not (place.folder / "data" / "objects").exists()
    assert place.restore()["objects"] == 3


def test_another_key_never_writes_over_our_backups(living, monkeypatch, tmp_path):
    first = back_up()
    service = EmbeddedKeyService(tmp_path / "backup-root-keys.json")
    with monkeypatch.context() as patch:
        patch.setattr(places, "key_service", lambda: service)
        with pytest.raises(KeyServiceUnavailable):
            services.back_up(actor=SYSTEM)
    assert [one.manifest.id for one in found().backups] == [first.id]


def test_keys_the_store_lost_stay_in_the_mirror_and_come_back(living):
    services.mirror()
    ada = living.people["ada"].id
    wiring.key_store().delete(ada)
    state = services.mirror(thorough=True)
    assert all(one.lost == [ada] for one in state)
    assert not selectors.mirror_standing().good
    assert services.recover_keys(actor=SYSTEM) == (1, [])
    assert not any(one.sentence for one in services.mirror())


def test_a_key_that_rotted_in_the_key_store_does_not_replace_the_mirrors(living):
    services.mirror()
    ada = living.people["ada"].id
    store = wiring.key_store()
    good = store.get(ada)
    store.replace(ada, [good], good[:-1] + bytes([good[-1] ^ 1]))
    state = services.mirror(thorough=True)
    assert all(one.unusable == [ada] for one in state)
    store.delete(ada)
    assert services.recover_keys(actor=SYSTEM) == (1, [])
    assert store.get(ada) == good


def test_after_the_root_was_changed_the_mirror_has_the_new_wrappings(living, place):
    from headshotly.vault import rotation

    back_up()
    rotation.rotate(actor=SYSTEM)
    living.sequence()
    assert [one.added > 2 for one in services.mirror()] == [True, True]
    assert place.restore()["unopened"] == []


# ---- clocks, databases


def test_clocks_that_are_wrong(living, place, monkeypatch):
    real = clock.now
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: real() + dt.timedelta(days=400))
        ahead = services.back_up(actor=SYSTEM)
        assert ahead.state == BackupState.COMPLETE
    assert not selectors.backup_standing().good, "a backup from the future is not a fresh one"
    living.add("carl", b"carl came later")
    record = back_up()
    assert "dated in the future" in record.sentence
    assert [one.manifest.id for one in found().backups] == [record.id, ahead.id], "ordered by number, not by clocks"
    assert selectors.backup_standing().good
    services.prune(actor=SYSTEM)
    assert place.restore()["backup"] == str(record.id)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: real() - dt.timedelta(days=400))
        behind = services.back_up(actor=SYSTEM)
    assert found().newest().manifest.id == behind.id


def test_a_half_migrated_database_is_not_opened(living, make_place):
    """A migration was recorded and its table never made, or the other way round."""
    with connections["default"].cursor() as cursor:
        cursor.execute("ALTER TABLE studio_photo RENAME TO studio_photo_lost")
    try:
        back_up()
    finally:
        with connections["default"].cursor() as cursor:
            cursor.execute("ALTER TABLE studio_photo_lost RENAME TO studio_photo")
    place = make_place()
    done = place.run("restore")
    assert done.returncode == 1
    assert "half-migrated" in done.stderr
    assert "Traceback" not in done.stderr
    assert "This place is being restored" in place.run("serve", "web").stderr
    with connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'continuity'")
    try:
        back_up()
    finally:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES ('continuity', '0001_initial', %s)",
                [clock.now()],
            )
    done = make_place().run("restore")
    assert done.returncode == 1
    assert "half-migrated" in done.stderr


def test_a_backup_of_a_newer_version_is_refused(living, place):
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('vault', '9999_new', %s)", [clock.now()]
        )
    try:
        back_up()
    finally:
        with connections["default"].cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE name = '9999_new'")
    done = place.run("restore")
    assert done.returncode == 1
    assert "made by a newer version" in done.stderr


def test_a_damaged_database_is_not_backed_up(tmp_path):
    path = tmp_path / "broken.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a TEXT)")
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 500,)] * 500)
    connection.close()
    content = bytearray(path.read_bytes())
    content[8192:8292] = os.urandom(100)
    path.write_bytes(content)
    with pytest.raises(DatabaseUnfit, match=r"damaged|cannot be copied"):
        databases._copy_sqlite(path, tmp_path / "copy.sqlite3")


# ---- pruning


def test_pruning_keeps_what_is_needed_and_nothing_else(living, make_place, monkeypatch, repositories):
    real, made = clock.now, []
    for days in (40, 39, 20, 3, 2, 0):
        with monkeypatch.context() as patch:
            patch.setattr(clock, "now", lambda days=days: real() - dt.timedelta(days=days))
            living.add("carl", f"picture of {days} days ago".encode() * 300)
            made.append(back_up())
    monkeypatch.setattr(pruning, "GRACE", dt.timedelta(0))
    monkeypatch.setattr(pruning, "keeping", lambda: pruning.Keeping(hours=48, days=1, weeks=1, months=1))
    before = sum(1 for path in repositories[EAST].rglob("*") if path.is_file())
    done = services.prune(actor=SYSTEM)
    assert done.backups in {4, 5}
    assert done.blobs > 0
    assert sum(1 for path in repositories[EAST].rglob("*") if path.is_file()) < before
    assert services.check(actor=SYSTEM).whole
    assert make_place().restore()["objects"] == len(living.objects)
    with pytest.raises(NoBackup):
        from headshotly.continuity import restoring

        restoring.choose(places.stores(), restoring.Wanted(backup=made[0].id))


def test_nothing_is_removed_while_a_manifest_cannot_be_read(living, repositories):
    back_up()
    flip(next((repositories[EAST] / "manifests").iterdir()))
    with pytest.raises(BackupIncomplete, match="Nothing is removed"):
        services.prune(actor=SYSTEM)


def test_progress_is_told(living):
    heard = []
    services.back_up(actor=SYSTEM, progress=lambda stage, done, total: heard.append((stage, done, total)))
    assert ("Objects", 3, 3) in heard
    assert silence("x", 0, 0) is None
