"""Deleting is destroying a key: constant, resumable after a crash anywhere, and no receipt while a byte remains."""

import shutil
import threading
import uuid

import pytest

from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.vault import receipt, selectors, services, wiring
from headshotly.vault.errors import ErasureIncomplete, KeyShredded, ObjectMissing, StoreUnavailable
from headshotly.vault.models import DeletionReceipt, StoredObject
from tests.vault.conftest import DATABASES
from tests.vault.faults import Failing, Killed, Life, Mortal

pytestmark = pytest.mark.django_db(databases=DATABASES)


def sealed(owner, subject, count=3):
    return [
        services.seal(actor=owner, subject=subject, kind="photo", purpose="generate", plaintext=bytes([number]) * 100)
        for number in range(count)
    ]


def everything(vault) -> bytes:
    return b"".join(path.read_bytes() for path in vault.data_folder.rglob("*") if path.is_file())


@pytest.fixture(params=["folder", "database"])
def vault(request, configure):
    """Here every test runs with both key stores."""
    return configure(key_store=request.param)


@pytest.mark.clause("1.2.c")
def test_everything_of_a_customer_goes(owner, subject, warrant, vault, journal):
    objects = sealed(owner, subject)
    field = services.seal_field(subject=subject, field="accounts.name", text="Łucja")
    certified = services.shred(actor=owner, subject=subject)
    statement = receipt.verify(certified, expected_key=services.receipt_public_key())
    assert [one["id"] for one in statement["objects"]] == [str(object_id) for object_id in objects]
    assert all(not one["found_again"] and not one["readable"] for one in statement["objects"])
    assert statement["subject"] == str(subject)
    assert len(statement["looked_in"]) == 3
    for object_id in objects:
        with pytest.raises(ObjectMissing):
            services.open(object_id=object_id, warrant=warrant)
    with pytest.raises(KeyShredded):
        services.open_field(subject=subject, field="accounts.name", sealed=field, warrant=warrant)
    with pytest.raises(KeyShredded):
        services.create_customer_key(actor=owner, subject=subject)
    assert not selectors.has_key(subject)
    assert wiring.object_store().remnants(subject) == []
    acts = [entry.act for entry in journal()]
    assert acts.count(Act.KEY_SHREDDED) == 1
    assert {one for entry in journal() if entry.act == Act.OBJECT_DESTROYED for one in entry.object_ids} == set(objects)


def test_nobody_else_loses_anything(owner, subject, warrant):
    other = uuid.uuid4()
    services.create_customer_key(actor=SYSTEM, subject=other)
    sealed(SYSTEM, other)
    (mine,) = sealed(owner, subject, 1)
    services.shred(actor=SYSTEM, subject=other)
    assert services.open(object_id=mine, warrant=warrant) == bytes(100)


def test_shredding_twice_gives_the_same_receipt(owner, subject):
    sealed(owner, subject)
    assert services.shred(actor=owner, subject=subject) == services.shred(actor=owner, subject=subject)
    assert DeletionReceipt.objects.count() == 1


def test_a_customer_without_photos_gets_a_receipt(owner, subject):
    statement = receipt.verify(services.shred(actor=owner, subject=subject))
    assert statement["objects"] == []


def test_a_key_remembered_in_memory_is_forgotten(owner, subject, warrant):
    (photo,) = sealed(owner, subject, 1)
    services.open(object_id=photo, warrant=warrant)
    services.shred_key(actor=owner, subject=subject)
    with pytest.raises(KeyShredded):
        services.open(object_id=photo, warrant=warrant)


def test_a_key_shredded_by_another_process_opens_nothing_here(owner, subject, warrant):
    """The other process shares the stores, not this one's memory."""
    (photo,) = sealed(owner, subject, 1)
    services.open(object_id=photo, warrant=warrant)
    wiring.key_store().delete(subject)
    with pytest.raises(KeyShredded):
        services.open(object_id=photo, warrant=warrant)


@pytest.mark.clause("3.2.b")
@pytest.mark.parametrize("photos", [1, 40])
def test_destroying_the_key_touches_as_many_things_for_many_photos_as_for_one(
    owner, subject, photos, django_assert_num_queries
):
    sealed(owner, subject, photos)
    counted = Life(None)
    store = Mortal(wiring.key_store(), {"add", "get", "delete", "replace", "replicas"}, counted)
    objects = Mortal(wiring.object_store(), {"delete", "delete_all", "open", "write", "holds"}, counted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "key_store", lambda: store)
        patch.setattr(wiring, "object_store", lambda: objects)
        services.shred_key(actor=owner, subject=subject)
    # One call, noted before and after.
    assert counted.taken == 2


DAMAGE = [
    ("object_store", "delete_all"),
    ("key_store", "delete"),
]


@pytest.mark.clause("1.2.c")
@pytest.mark.parametrize("happened", [False, True])
@pytest.mark.parametrize(("engine", "verb"), DAMAGE)
def test_no_receipt_while_a_store_fails(engine, verb, happened, owner, subject, warrant, monkeypatch):
    objects = sealed(owner, subject)
    failing = Failing(getattr(wiring, engine)(), verb, StoreUnavailable("The storage failed."), happened=happened)
    with monkeypatch.context() as patch:
        patch.setattr(wiring, engine, lambda: failing)
        with pytest.raises(StoreUnavailable):
            services.shred(actor=owner, subject=subject)
    assert DeletionReceipt.objects.count() == 0
    # Whatever happened, nothing opens from here on.
    for object_id in objects:
        with pytest.raises((KeyShredded, ObjectMissing)):
            services.open(object_id=object_id, warrant=warrant)
    statement = receipt.verify(services.shred(actor=owner, subject=subject))
    assert len(statement["objects"]) == 3


def lying_store(**answers):
    """An object store that says it deleted and keeps something."""
    return type(
        "Lying", (), {name: staticmethod(lambda *_, _answer=answer: _answer) for name, answer in answers.items()}
    )


def test_no_receipt_while_a_byte_remains(owner, subject, monkeypatch):
    sealed(owner, subject)
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "object_store", lambda: lying_store(delete_all=None, remnants=["left.sealed"], name="x"))
        with pytest.raises(ErasureIncomplete):
            services.shred(actor=owner, subject=subject)
    assert StoredObject.objects.filter(subject=subject).count() == 3
    assert DeletionReceipt.objects.count() == 0


def test_no_receipt_while_a_replica_of_the_key_remains(owner, subject, monkeypatch):
    keys = wiring.key_store()
    lying = lying_store(delete=None, replicas={"mirror": b"wrapped"}, get=None)
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "key_store", lambda: lying)
        with pytest.raises(ErasureIncomplete):
            services.shred(actor=owner, subject=subject)
    assert keys.replicas(subject)
    assert receipt.verify(services.shred(actor=owner, subject=subject))


def test_an_object_is_not_called_destroyed_while_the_store_holds_it(owner, subject, monkeypatch, journal):
    (photo,) = sealed(owner, subject, 1)
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "object_store", lambda: lying_store(delete=None, holds=True))
        with pytest.raises(ErasureIncomplete):
            services.destroy(actor=owner, object_id=photo)
    assert Act.OBJECT_DESTROYED not in {entry.act for entry in journal()}
    services.destroy(actor=owner, object_id=photo)
    services.destroy(actor=owner, object_id=photo)
    assert [entry.act for entry in journal()].count(Act.OBJECT_DESTROYED) == 1


CHANGING = {"add", "delete", "delete_all", "replace", "write", "note"}


def test_a_crash_at_any_step_is_gone_on_from(owner, subject, warrant, monkeypatch):
    """The process dies before or after each change of a store; the next call finishes and certifies everything."""
    steps = 0
    while True:
        customer = uuid.uuid4()
        services.create_customer_key(actor=SYSTEM, subject=customer)
        objects = sealed(SYSTEM, customer)
        life = Life(steps)
        with monkeypatch.context() as patch:
            for engine in ("key_store", "object_store", "erasure_ledger"):
                mortal = Mortal(getattr(wiring, engine)(), CHANGING, life)
                patch.setattr(wiring, engine, lambda mortal=mortal: mortal)
            try:
                services.shred(actor=SYSTEM, subject=customer)
            except Killed:
                died = True
            else:
                died = False
        statement = receipt.verify(services.shred(actor=SYSTEM, subject=customer))
        assert {one["id"] for one in statement["objects"]} == {str(object_id) for object_id in objects}
        assert wiring.key_store().replicas(customer) == {}
        assert wiring.object_store().remnants(customer) == []
        if not died:
            break
        steps += 1
    assert steps == 6  # ledger, key, bytes: before and after each


def test_a_crash_while_certifying_loses_neither_rows_nor_receipt(owner, subject, monkeypatch):
    sealed(owner, subject)
    with monkeypatch.context() as patch:
        patch.setattr(
            DeletionReceipt.objects, "update_or_create", lambda **_: (_ for _ in ()).throw(Killed("while certifying"))
        )
        with pytest.raises(Killed):
            services.shred(actor=owner, subject=subject)
    assert StoredObject.objects.filter(subject=subject).count() == 3
    assert len(receipt.verify(services.shred(actor=owner, subject=subject))["objects"]) == 3


def test_sealing_while_being_shredded_keeps_nothing(owner, subject, monkeypatch, vault):
    """The customer is shredded after the bytes were written and before the seal looks at the key again."""
    real = wiring.object_store()

    class Overtaken:
        def __getattr__(self, name):
            return getattr(real, name)

        def write(self, *args):
            written = real.write(*args)
            with monkeypatch.context() as patch:
                patch.setattr(wiring, "object_store", lambda: real)
                services.shred_key(actor=owner, subject=subject)
            return written

    monkeypatch.setattr(wiring, "object_store", Overtaken)
    with pytest.raises(KeyShredded):
        services.seal(actor=owner, subject=subject, kind="photo", purpose="generate", plaintext=b"late")
    assert real.remnants(subject) == []
    assert StoredObject.objects.filter(subject=subject).count() == 0


def test_a_row_that_came_late_gets_into_a_new_receipt(owner, subject, vault):
    (first,) = sealed(owner, subject, 1)
    services.shred(actor=owner, subject=subject)
    late = StoredObject.objects.create(
        subject=subject, kind="photo", purpose="generate", sealed_bytes=1, sealed_at="2026-01-01T00:00:00Z"
    )
    statement = receipt.verify(services.shred(actor=owner, subject=subject))
    assert [one["id"] for one in statement["objects"]] == [str(first), str(late.id)]
    assert StoredObject.objects.filter(subject=subject).count() == 0


@pytest.mark.clause("1.2.c")
def test_a_restored_backup_revives_nobody(owner, subject, warrant, vault, tmp_path):
    """The backup of everything but the ledger comes back: objects, keys, rows."""
    (photo,) = sealed(owner, subject, 1)
    row = StoredObject.objects.get(id=photo)
    blob = wiring.key_store().get(subject)
    shutil.copytree(vault.data_folder, tmp_path / "backup")
    services.shred(actor=owner, subject=subject)
    for folder in ("objects", "keys", "keys-mirror"):
        if (tmp_path / "backup" / folder).exists():
            shutil.rmtree(vault.data_folder / folder, ignore_errors=True)
            shutil.copytree(tmp_path / "backup" / folder, vault.data_folder / folder)
    wiring.key_store().add(subject, blob)
    row.save(force_insert=True)
    DeletionReceipt.objects.all().delete()
    # Before anything was replayed the ledger already keeps it shut.
    with pytest.raises(KeyShredded):
        services.open(object_id=photo, warrant=warrant)
    assert not selectors.is_readable(subject)
    assert services.replay_erasures(actor=SYSTEM) == 1
    assert services.replay_erasures(actor=SYSTEM) == 0
    assert wiring.key_store().replicas(subject) == {}
    assert wiring.object_store().remnants(subject) == []


def test_the_ciphertext_alone_says_nothing(owner, subject, vault):
    canary = b"CANARY-" + uuid.uuid4().hex.encode()
    services.seal(actor=owner, subject=subject, kind="photo", purpose="generate", plaintext=canary * 1000)
    services.seal_field(subject=subject, field="accounts.name", text=canary.decode())
    assert canary not in everything(vault)


def test_shredding_and_sealing_at_once_leave_nothing(vault, transactional_db):
    """Threads, real stores: whatever the order, no byte and no key stays."""
    for _ in range(5):
        customer = uuid.uuid4()
        services.create_customer_key(actor=SYSTEM, subject=customer)
        store, failures = wiring.object_store(), []

        def write(customer=customer, store=store, failures=failures):
            try:
                for number in range(50):
                    if not services.customer_keys.exists(customer):
                        return
                    object_id = uuid.uuid4()
                    store.write(customer, object_id, [bytes([number])] * 10)
                    if not services.customer_keys.exists(customer):
                        store.delete(customer, object_id)
                        return
            except StoreUnavailable as refused:
                failures.append(refused)

        writer = threading.Thread(target=write)
        writer.start()
        while True:
            try:
                services.shred(actor=SYSTEM, subject=customer)
                break
            except (ErasureIncomplete, StoreUnavailable):
                continue
        writer.join()
        services.shred(actor=SYSTEM, subject=customer)
        assert store.remnants(customer) == []
