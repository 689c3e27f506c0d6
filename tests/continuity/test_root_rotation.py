"""The backups' own root key is changed, every backup stays readable at every step, and the old root dies last."""

import dataclasses
import hashlib
import uuid

import pytest
from click.testing import CliRunner

from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.audit.leaf import decode
from headshotly.audit.models import Disclosure, PendingEntry
from headshotly.continuity import backing_up, catalogue, places, restoring, rotation, sealing, services, wrappings
from headshotly.continuity.catalogue import PURPOSE_CHUNK
from headshotly.continuity.errors import BackupIncomplete
from headshotly.continuity.models import BackupState
from headshotly.continuity.reading import read_blob
from headshotly.frontdoor.commands.backup import backup as command
from headshotly.policy import clock
from headshotly.policy.permission import production_act_of
from headshotly.vault import services as vault
from headshotly.vault.aws_keys import AwsKeyService
from headshotly.vault.errors import KeyServiceUnavailable, RotationIncomplete, StoreUnavailable
from tests.continuity.conftest import DATABASES, EAST, NORTH
from tests.vault.faults import Failing, Killed, Life, Mortal
from tests.vault.strict_kms import StrictKms

pytestmark = pytest.mark.django_db(transaction=True, databases=DATABASES)
SERVICE_CHANGES, STORE_CHANGES = {"new_root", "rewrap", "retire"}, {"put"}


@pytest.fixture(params=["embedded", "aws"])
def service(request):
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "aws":
            made = AwsKeyService(StrictKms(), alias="alias/headshotly-backup")
            patch.setattr(places, "key_service", lambda: made)
        yield places.key_service()


@pytest.fixture
def sealed(service) -> uuid.UUID:
    """Something of a customer, in a backup."""
    who = uuid.uuid4()
    vault.create_customer_key(actor=SYSTEM, subject=who)
    actor = Actor(kind="customer", id=who)
    vault.seal(actor=actor, subject=who, kind="canary", purpose="p", plaintext=b"a canary" * 100)
    back_up()
    return who


def back_up():
    record = services.back_up(actor=SYSTEM)
    assert record.state == BackupState.COMPLETE, record.sentence
    return record


def opened() -> dict[str, set[uuid.UUID]]:
    """Open every piece of every backup, from each store by itself; return which backups each has."""
    found = {}
    for store in places.stores():
        looked = catalogue.look((store,), places.key_service())
        assert not looked.damaged
        assert not looked.silent
        for one in looked.backups:
            contents = one.contents()
            for part in (*contents.databases.values(), *contents.files.values()):
                digest = hashlib.sha256()
                for chunk in part.chunks:
                    digest.update(sealing.unseal(one.key, read_blob((store,), chunk.blob), purpose=PURPOSE_CHUNK))
                assert digest.hexdigest() == part.sha256
            assert all(read_blob((store,), copy.blob) for copy in contents.objects)
        found[store.region] = {one.manifest.id for one in looked.backups}
    return found


def rotate() -> rotation.Rotation:
    return services.rotate_root(actor=SYSTEM)


def bytes_of(backups) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes() for path in backups.rglob("*") if path.is_file() and "/mirror/" not in str(path)
    }


def journalled() -> list[Act]:
    rows = [*PendingEntry.objects.all(), *Disclosure.objects.all()]
    return [decode(bytes(row.leaf)).act for row in rows]


@pytest.mark.clause("3.2.b", "6.1.a")
def test_old_backups_open_with_the_new_root_alone_and_no_data_is_touched(service, sealed, backups):
    first, old, before = back_up(), service.current_root(), bytes_of(backups)
    done = rotate()
    assert (done.retired, done.backups, done.written, done.resumed) == ((old,), 2, 2, False)
    assert set(service.roots()) == {done.root} != {old}
    after = bytes_of(backups)
    assert {name: after[name] for name in before} == before
    assert len(set(after) - set(before)) == 2
    assert all("/keys/" in name for name in set(after) - set(before))
    with pytest.raises(KeyServiceUnavailable):
        sealing.unwrap_key(service, *_wrapped(first.id))
    assert {len(ids) for ids in opened().values()} == {2}
    assert Act.BACKUP_ROOT_ROTATED in journalled()


def _wrapped(backup: uuid.UUID) -> tuple[uuid.UUID, bytes]:
    """Return the wrapping in a backup's own manifest."""
    [one] = [one for one in catalogue.look(places.stores(), places.key_service()).backups if one.manifest.id == backup]
    return one.key.repository, one.manifest.wrapped


def test_the_next_backup_goes_on_in_the_same_repository_and_reads_nothing_anew(service, sealed):
    rotate()
    record = back_up()
    repository, wrapped = _wrapped(record.id)
    assert service.root_of(wrapped) == service.current_root()
    found = catalogue.look(places.stores(), service)
    assert {one.key.repository for one in found.backups} == {repository}
    assert record.written_bytes < found.backups[0].manifest.database_bytes
    # Its manifest opens the older backups as well, should what was kept beside the blobs be lost.
    for store in places.stores():
        for kept in list(store.repository.kept(wrappings.PREFIX)):
            store.repository.remove(kept.name)
    assert {len(ids) for ids in opened().values()} == {2}


@pytest.mark.clause("3.2.b", "6.2.b")
def test_a_crash_at_any_step_leaves_every_backup_readable_and_is_gone_on_from(service, sealed, monkeypatch):
    """Die before or after each change; every piece still opens from each store; the next run ends with one root."""
    steps, died = 0, True
    while died:
        life = Life(steps)
        with monkeypatch.context() as patch:
            mortal = Mortal(service, SERVICE_CHANGES, life)
            stores = tuple(
                dataclasses.replace(store, repository=Mortal(store.repository, STORE_CHANGES, life))
                for store in places.stores()
            )
            patch.setattr(places, "key_service", lambda mortal=mortal: mortal)
            patch.setattr(places, "stores", lambda stores=stores: stores)
            try:
                rotate()
                died = False
            except Killed:
                pass
        assert {len(ids) for ids in opened().values()} == {1}
        done = rotate()
        assert set(service.roots()) == {done.root}
        assert {len(ids) for ids in opened().values()} == {1}
        steps += died
    # New root, the secret wrapped anew, written to two stores, the old root retired: before and after each of the five.
    assert steps == 10


@pytest.mark.clause("6.2.b")
@pytest.mark.parametrize("service", ["embedded"], indirect=True)
def test_a_place_is_restored_from_a_rotation_that_died_after_the_old_root(service, living, place, monkeypatch):
    """From one region alone, with the program itself, while nobody knows yet how the rotation ended."""
    back_up()
    with monkeypatch.context() as patch:
        patch.setattr(places, "key_service", lambda: Failing(service, "retire", Killed(), happened=True))
        with pytest.raises(Killed):
            rotate()
    assert place.restore("--from", NORTH)["objects"] == 3
    assert place.opens(living) == {object_id: content.decode() for object_id, (_, content) in living.objects.items()}
    rotate()
    assert len(service.roots()) == 1
    assert {len(ids) for ids in opened().values()} == {1}


@pytest.mark.parametrize("happened", [False, True])
@pytest.mark.parametrize("verb", ["new_root", "rewrap", "unwrap", "retire"])
def test_a_key_service_that_fails_is_gone_on_from(verb, happened, service, sealed, monkeypatch):
    with monkeypatch.context() as patch:
        failing = Failing(service, verb, KeyServiceUnavailable("down"), happened=happened)
        patch.setattr(places, "key_service", lambda: failing)
        with pytest.raises(KeyServiceUnavailable):
            rotate()
    assert {len(ids) for ids in opened().values()} == {1}
    rotate()
    assert len(service.roots()) == 1
    assert {len(ids) for ids in opened().values()} == {1}


@pytest.mark.parametrize("happened", [False, True])
def test_a_store_that_fails_keeps_the_old_root(happened, service, sealed, monkeypatch):
    with monkeypatch.context() as patch:
        east, north = places.stores()
        failing = Failing(north.repository, "put", StoreUnavailable("full"), happened=happened)
        patch.setattr(places, "stores", lambda: (east, dataclasses.replace(north, repository=failing)))
        with pytest.raises(StoreUnavailable):
            rotate()
    assert len(service.roots()) == 2
    assert {len(ids) for ids in opened().values()} == {1}
    done = rotate()
    assert done.resumed
    assert len(service.roots()) == 1


def test_a_silent_store_or_a_damaged_manifest_stops_it_before_anything_is_changed(
    service, sealed, backups, monkeypatch
):
    root = service.current_root()
    with monkeypatch.context() as patch:
        east, north = places.stores()
        silent = Failing(north.repository, "kept", StoreUnavailable("silent"), happened=False)
        patch.setattr(places, "stores", lambda: (east, dataclasses.replace(north, repository=silent)))
        with pytest.raises(BackupIncomplete, match=f"{NORTH}: silent"):
            rotate()
    assert set(service.roots()) == {root}
    [path] = (backups / "frankfurt" / "repository" / "manifests").glob("*.json")
    path.write_bytes(path.read_bytes().replace(b'"missing": 0', b'"missing": 7'))
    with pytest.raises(BackupIncomplete, match="damaged or forged"):
        rotate()
    assert set(service.roots()) == {root}


def test_the_old_root_is_kept_while_one_region_lacks_the_new_wrapping(service, sealed, monkeypatch):
    with monkeypatch.context() as patch:
        real = wrappings.put
        patch.setattr(
            wrappings, "put", lambda store, *rest, **more: store.region == EAST and real(store, *rest, **more)
        )
        with pytest.raises(RotationIncomplete, match=NORTH):
            rotate()
    assert len(service.roots()) == 2
    assert rotate().resumed


def test_a_repository_that_begins_while_the_root_changes_is_wrapped_under_the_new_one(service, monkeypatch):
    """Another machine makes the very first backup; the root changes and is retired before its key is written."""
    assert rotate().backups == 0
    real, overtaken = wrappings.put, []

    def put(store, *rest, **more):
        if not overtaken:
            overtaken.append(rotation.rotate(actor=SYSTEM, progress=lambda *_: None))
        return real(store, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(wrappings, "put", put)
        record = back_up()
    assert overtaken[0].retired
    assert service.root_of(_wrapped(record.id)[1]) == service.current_root()
    assert {len(ids) for ids in opened().values()} == {1}


def test_a_repository_without_backups_yet_is_wrapped_anew_too(service, backups):
    """Its key is written first: a backup that is still being made then ends under a root that lives."""
    key = sealing.new_key(service)
    for store in places.stores():
        wrappings.put(store, service, key, until=clock.now())
    rotate()
    for store in places.stores():
        [held] = [sealing.unwrap_key(service, key.repository, one) for one in wrappings.read(store)[key.repository][:1]]
        assert held.secret == key.secret


def test_a_wrapping_that_rotted_or_was_forged_is_passed_over_and_healed_by_the_check(service, sealed, backups):
    rotate()
    [north] = (backups / "stockholm" / "repository" / "keys").glob(f"*/{service.current_root()}.key")
    good = north.read_bytes()
    north.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    # Alone, the region no longer opens; together, the other's opens both.
    with pytest.raises(KeyServiceUnavailable):
        catalogue.look(tuple(one for one in places.stores() if one.region == NORTH), service)
    assert services.check(actor=SYSTEM).whole
    assert {len(ids) for ids in opened().values()} == {1}
    (backups / "stockholm" / "repository" / "keys" / "noise.key").write_bytes(b"noise")
    assert {len(ids) for ids in opened().values()} == {1}


def test_pruning_removes_the_wrappings_of_retired_roots_and_no_others(service, sealed, monkeypatch):
    back_up()
    rotate()
    back_up()
    later = clock.now() + backing_up.dt.timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    services.prune(actor=SYSTEM)
    for store in places.stores():
        roots = {wrappings.parts_of(one.name)[1] for one in store.repository.kept(wrappings.PREFIX)}
        assert roots == {service.current_root()}
    assert all(opened().values())


@pytest.mark.parametrize("service", ["embedded"], indirect=True)
def test_the_command_is_an_act_in_production_and_says_what_it_did(service, sealed):
    assert production_act_of(command.commands["rotate-key"]) == "act:rotate-keys"
    runner, old = CliRunner(), service.current_root()
    done = runner.invoke(command, ["rotate-key"])
    assert done.exit_code == 0, done.output
    assert "1 backups open with it in every region, 2 keys written, 1 older roots destroyed" in done.output
    assert old not in service.roots()
    listed = runner.invoke(command, ["list"])
    assert f"Root key {service.current_root()}, 0 days old." in listed.output
    service.new_root()
    listed = runner.invoke(command, ["list"])
    assert "run “headshotly backup rotate-key”" in listed.output
    assert "An interrupted rotation was finished" in runner.invoke(command, ["rotate-key"]).output
    assert restoring.choose(places.stores(), restoring.Wanted())[0].manifest.generation == 1
