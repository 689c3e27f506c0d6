"""One suite for both key stores, then what only folders can suffer."""

import os
import threading
import uuid
from pathlib import Path

import pytest

from headshotly.vault import durable
from headshotly.vault.errors import StoreFull, StoreUnavailable
from headshotly.vault.keystore import DatabaseKeyStore, FolderKeyStore
from tests.vault.conftest import DATABASES

pytestmark = pytest.mark.django_db(databases=DATABASES)
ID = uuid.UUID("11111111-1111-4111-8111-111111111111")


def folders(tmp_path: Path) -> FolderKeyStore:
    return FolderKeyStore({"keys": tmp_path / "keys", "mirror": tmp_path / "mirror"})


@pytest.fixture(params=["folder", "database"])
def store(request, tmp_path):
    return folders(tmp_path) if request.param == "folder" else DatabaseKeyStore()


def test_a_key_is_kept_in_every_replica(store):
    assert store.add(ID, b"wrapped")
    assert store.get(ID) == b"wrapped"
    assert set(store.replicas(ID).values()) == {b"wrapped"}
    assert list(store.ids()) == [ID]


def test_a_second_key_never_replaces_the_first(store):
    store.add(ID, b"first")
    assert not store.add(ID, b"second")
    assert set(store.replicas(ID).values()) == {b"first"}


@pytest.mark.clause("1.2.c")
def test_a_deleted_key_is_in_no_replica(store):
    store.add(ID, b"wrapped")
    store.delete(ID)
    assert store.get(ID) is None
    assert store.replicas(ID) == {}
    assert list(store.ids()) == []
    store.delete(ID)


def test_a_key_is_replaced_only_where_it_is_still_the_one_that_was_read(store):
    store.add(ID, b"old")
    assert not store.replace(ID, [b"another"], b"new")
    assert store.get(ID) == b"old"
    assert store.replace(ID, [b"old"], b"new")
    assert set(store.replicas(ID).values()) == {b"new"}


def test_replacing_does_not_bring_a_deleted_key_back(store):
    store.add(ID, b"old")
    store.delete(ID)
    assert not store.replace(ID, [b"old"], b"new")
    assert store.replicas(ID) == {}


def test_ids_are_in_order(store):
    ids = sorted(uuid.uuid4() for _ in range(20))
    for key_id in reversed(ids):
        store.add(key_id, b"x")
    assert list(store.ids()) == ids


def test_one_lost_folder_does_not_stop_the_service_and_is_repaired(tmp_path):
    store = folders(tmp_path)
    store.add(ID, b"wrapped")
    for path in (tmp_path / "keys").rglob("*.key"):
        path.unlink()
    assert store.get(ID) == b"wrapped"
    assert store.repair(ID) == 1
    assert store.replicas(ID) == {"keys": b"wrapped", "mirror": b"wrapped"}
    assert store.repair(ID) == 0


def test_repairing_what_is_not_there_makes_nothing(tmp_path):
    store = folders(tmp_path)
    assert store.repair(ID) == 0
    assert store.replicas(ID) == {}


def test_a_removal_that_was_cut_short_is_seen_and_finished(tmp_path, monkeypatch):
    store = folders(tmp_path)
    store.add(ID, b"wrapped")
    monkeypatch.setattr(durable, "_shred", lambda _path: (_ for _ in ()).throw(OSError(5, "crash")))
    with pytest.raises(StoreUnavailable):
        store.delete(ID)
    monkeypatch.undo()
    assert "keys, being removed" in store.replicas(ID)
    assert list(store.ids()) == [ID]
    store.delete(ID)
    assert store.replicas(ID) == {}


def test_a_replacement_that_was_cut_short_is_finished(tmp_path, monkeypatch):
    store = folders(tmp_path)
    store.add(ID, b"old")
    real = durable.replace_erasing
    done: list[Path] = []

    def once(path, content):
        if done:
            raise StoreUnavailable("crash")
        done.append(path)
        real(path, content)

    monkeypatch.setattr(durable, "replace_erasing", once)
    with pytest.raises(StoreUnavailable):
        store.replace(ID, [b"old"], b"new")
    monkeypatch.undo()
    assert set(store.replicas(ID).values()) == {b"old", b"new"}
    assert store.replace(ID, [b"old"], b"new")
    assert set(store.replicas(ID).values()) == {b"new"}


def test_a_full_disk_keeps_nothing(tmp_path, monkeypatch):
    store = folders(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(StoreFull):
        store.add(ID, b"wrapped")
    monkeypatch.undo()
    assert store.replicas(ID) == {}
    assert store.add(ID, b"wrapped")


def test_many_adders_agree_on_one_key(tmp_path):
    store = folders(tmp_path)
    won: list[bytes] = []

    def add(content: bytes) -> None:
        if store.add(ID, content):
            won.append(content)

    threads = [threading.Thread(target=add, args=(bytes([number]),)) for number in range(1, 17)]  # zeros are no key
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert set(store.replicas(ID).values()) == set(won)


def test_deleting_and_replacing_at_once_never_leaves_a_key(tmp_path):
    for _ in range(20):
        store = folders(tmp_path)
        store.add(ID, b"old")
        threads = [
            threading.Thread(target=store.replace, args=(ID, [b"old"], b"new")),
            threading.Thread(target=store.delete, args=(ID,)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.replicas(ID) == {}


def test_keys_are_readable_by_their_owner_only(tmp_path):
    folders(tmp_path).add(ID, b"wrapped")
    for path in [*(tmp_path / "keys").rglob("*"), *(tmp_path / "mirror").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0


def test_a_store_without_folders_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        FolderKeyStore({})
