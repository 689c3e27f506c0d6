"""Root-key epochs: the living are wrapped anew, the dead stay dead, and a crash anywhere is gone on from."""

import uuid

import pytest

from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.vault import minting, rotation, selectors, services, wiring, wrapped_keys
from headshotly.vault.aws_keys import AwsKeyService
from headshotly.vault.errors import KeyServiceUnavailable, RotationIncomplete, StoreUnavailable
from headshotly.vault.warrant import Warrant
from tests.vault.conftest import DATABASES
from tests.vault.faults import Failing, Killed, Life, Mortal
from tests.vault.strict_kms import StrictKms

pytestmark = pytest.mark.django_db(databases=DATABASES)
PHOTO = b"photo" * 100


@pytest.fixture(params=["folder, embedded", "database, embedded", "folder, aws", "database, aws"])
def vault(request, configure, monkeypatch):
    """Here every test runs with both key stores and both key services."""
    key_store, key_service = request.param.split(", ")
    wired = configure(key_store=key_store)
    if key_service == "aws":
        service = AwsKeyService(StrictKms())
        monkeypatch.setattr(wiring, "key_service", lambda: service)
    return wired


@pytest.fixture
def photo(owner, subject):
    return services.seal(actor=owner, subject=subject, kind="photo", purpose="generate", plaintext=PHOTO)


@pytest.mark.clause("3.2.b")
def test_the_living_are_wrapped_anew_and_the_old_root_is_gone(photo, subject, warrant, journal):
    old = wiring.key_service().current_root()
    blob = wiring.key_store().get(subject)
    done = rotation.rotate(actor=SYSTEM)
    assert done.retired == (old,)
    assert not done.resumed
    assert done.rewrapped >= 2  # the customer's key and the warrants'
    assert set(wiring.key_service().roots()) == {done.root}
    assert services.open(object_id=photo, warrant=warrant) == PHOTO
    with pytest.raises(KeyServiceUnavailable):
        wiring.key_service().unwrap(blob, services.customer_keys.context(subject))
    assert Act.ROOT_ROTATED in {entry.act for entry in journal()}
    state = selectors.keys_state()
    assert (state.stale, state.incomplete, state.keys) == (0, 0, 1)


def test_secrets_of_the_service_are_wrapped_anew(vault, subject, warrant):
    before = services.blind_index(field="email", value="a@example.org"), services.receipt_public_key()
    rotation.rotate(actor=SYSTEM)
    wrapped_keys.flush()
    assert (services.blind_index(field="email", value="a@example.org"), services.receipt_public_key()) == before
    assert warrant.mac == minting.seal_of(Warrant(**{**fields(warrant), "mac": b""}))


def fields(warrant: Warrant) -> dict[str, object]:
    return {name: getattr(warrant, name) for name in Warrant.__slots__}


def test_a_key_from_an_old_backup_of_somebody_erased_opens_nothing(owner, subject, vault):
    blob = wiring.key_store().get(subject)
    services.shred(actor=owner, subject=subject)
    rotation.rotate(actor=SYSTEM)
    # Even where the ledger were lost with everything else, the root is gone.
    with pytest.raises(KeyServiceUnavailable):
        wiring.key_service().unwrap(blob, services.customer_keys.context(subject))


def test_what_is_left_of_somebody_erased_is_removed_not_wrapped_anew(owner, subject, vault):
    blob = wiring.key_store().get(subject)
    services.shred(actor=owner, subject=subject)
    wiring.key_store().add(subject, blob)
    rotation.rotate(actor=SYSTEM)
    assert wiring.key_store().replicas(subject) == {}


KEYSTORE_CHANGES = {"replace", "delete", "add"}
SERVICE_CHANGES = {"new_root", "retire", "wrap"}


def test_a_crash_at_any_step_is_gone_on_from(photo, subject, warrant, vault, monkeypatch):
    """Die before or after each change; the service keeps reading; the next run finishes with one root."""
    steps = 0
    while True:
        life = Life(steps)
        with monkeypatch.context() as patch:
            service = Mortal(wiring.key_service(), SERVICE_CHANGES, life)
            store = Mortal(wiring.key_store(), KEYSTORE_CHANGES, life)
            patch.setattr(wiring, "key_service", lambda service=service: service)
            patch.setattr(wiring, "key_store", lambda store=store: store)
            try:
                rotation.rotate(actor=SYSTEM)
            except Killed:
                died = True
            else:
                died = False
        wrapped_keys.flush()
        assert services.open(object_id=photo, warrant=warrant) == PHOTO
        done = rotation.rotate(actor=SYSTEM)
        assert set(wiring.key_service().roots()) == {done.root}
        wrapped_keys.flush()
        assert services.open(object_id=photo, warrant=warrant) == PHOTO
        if not died:
            break
        steps += 1
    # New root, two keys wrapped and replaced, the old root retired: before and after each of the six.
    assert steps == 12


def test_an_interrupted_rotation_makes_no_third_root(photo, vault, monkeypatch):
    service = wiring.key_service()
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "key_service", lambda: Failing(service, "wrap", Killed(), happened=False))
        with pytest.raises(Killed):
            rotation.rotate(actor=SYSTEM)
    assert len(service.roots()) == 2
    done = rotation.rotate(actor=SYSTEM)
    assert done.resumed
    assert len(service.roots()) == 1


@pytest.mark.parametrize("happened", [False, True])
@pytest.mark.parametrize("verb", ["wrap", "unwrap", "new_root", "retire"])
def test_a_key_service_that_fails_is_gone_on_from(verb, happened, photo, warrant, vault, monkeypatch):
    service = wiring.key_service()
    wrapped_keys.flush()
    with monkeypatch.context() as patch:
        failing = Failing(service, verb, KeyServiceUnavailable("down"), happened=happened)
        patch.setattr(wiring, "key_service", lambda: failing)
        with pytest.raises(KeyServiceUnavailable):
            rotation.rotate(actor=SYSTEM)
    wrapped_keys.flush()
    assert services.open(object_id=photo, warrant=warrant) == PHOTO
    rotation.rotate(actor=SYSTEM)
    assert len(service.roots()) == 1
    wrapped_keys.flush()
    assert services.open(object_id=photo, warrant=warrant) == PHOTO


@pytest.mark.parametrize("happened", [False, True])
def test_a_key_store_that_fails_is_gone_on_from(happened, photo, warrant, vault, monkeypatch):
    store = wiring.key_store()
    with monkeypatch.context() as patch:
        failing = Failing(store, "replace", StoreUnavailable("down"), happened=happened)
        patch.setattr(wiring, "key_store", lambda: failing)
        with pytest.raises(StoreUnavailable):
            rotation.rotate(actor=SYSTEM)
    rotation.rotate(actor=SYSTEM)
    assert selectors.keys_state().stale == 0
    wrapped_keys.flush()
    assert services.open(object_id=photo, warrant=warrant) == PHOTO


def test_a_root_is_not_retired_while_a_key_hangs_on_it(photo, warrant, vault, monkeypatch):
    service = wiring.key_service()
    with monkeypatch.context() as patch:
        patch.setattr(wrapped_keys, "rewrap", lambda *_: False)
        with pytest.raises(RotationIncomplete):
            rotation.rotate(actor=SYSTEM)
    assert len(service.roots()) == 2
    wrapped_keys.flush()
    assert services.open(object_id=photo, warrant=warrant) == PHOTO


def test_a_key_made_while_the_root_changes_ends_under_the_new_one(vault, monkeypatch):
    """The root is replaced and retired between wrapping and storing: the rarest moment."""
    store = wiring.key_store()
    customer = uuid.uuid4()

    class Overtaken:
        def __getattr__(self, name):
            return getattr(store, name)

        def add(self, key_id, blob):
            with monkeypatch.context() as patch:
                patch.setattr(wiring, "key_store", lambda: store)
                rotation.rotate(actor=SYSTEM)
            return store.add(key_id, blob)

    with monkeypatch.context() as patch:
        patch.setattr(wiring, "key_store", Overtaken)
        services.create_customer_key(actor=SYSTEM, subject=customer)
    assert selectors.keys_state().stale == 0
    assert services.seal_field(subject=customer, field="x", text="still works")


def test_a_customer_shredded_while_being_wrapped_anew_stays_gone(owner, subject, vault, monkeypatch):
    store = wiring.key_store()

    class Overtaken:
        def __getattr__(self, name):
            return getattr(store, name)

        def replace(self, key_id, seen, new):
            if key_id == subject:
                with monkeypatch.context() as patch:
                    patch.setattr(wiring, "key_store", lambda: store)
                    services.shred_key(actor=owner, subject=subject)
            return store.replace(key_id, seen, new)

    with monkeypatch.context() as patch:
        patch.setattr(wiring, "key_store", Overtaken)
        rotation.rotate(actor=SYSTEM)
    assert store.replicas(subject) == {}
