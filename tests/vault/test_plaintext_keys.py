"""Plaintext keys in memory: few, for a short time, gone when they are destroyed."""

import uuid
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.audit.actor import SYSTEM
from headshotly.policy import clock
from headshotly.vault import customer_keys, services, wiring, wrapped_keys
from headshotly.vault.errors import KeyServiceUnavailable, KeyShredded, StoreUnavailable
from tests.vault.conftest import DATABASES
from tests.vault.faults import Failing, Life, Mortal

pytestmark = pytest.mark.django_db(databases=DATABASES)


@pytest.fixture
def unwrapped(vault, monkeypatch):
    """How often the key service was asked to unwrap, twice each (before and after)."""
    life = Life(None)
    service = Mortal(wiring.key_service(), {"unwrap"}, life)
    monkeypatch.setattr(wiring, "key_service", lambda: service)
    return life


def test_a_key_is_unwrapped_once_in_a_while(subject, unwrapped, monkeypatch):
    for _ in range(10):
        customer_keys.plain(subject)
    assert unwrapped.taken == 2
    later = clock.monotonic() + wrapped_keys.CACHE_SECONDS
    monkeypatch.setattr(clock, "monotonic", lambda: later)
    assert wrapped_keys.remembered() == 0
    customer_keys.plain(subject)
    assert unwrapped.taken == 4


@given(st.lists(st.tuples(st.sampled_from(["put", "get", "drop", "wait"]), st.integers(0, 3)), max_size=40))
def test_each_key_is_remembered_for_its_own_time_and_no_longer(deeds):
    """Beside a list of when each was put, which looks at all of them every time."""
    cache, now, put = wrapped_keys._Cache(), [100.0], {}
    keys = [uuid.UUID(int=number) for number in range(4)]
    with mock.patch.object(clock, "monotonic", side_effect=lambda: now[0]):
        for deed, number in deeds:
            match deed:
                case "put":
                    cache.put(keys[number], b"blob", bytes([number]))
                    put[number] = now[0]
                case "drop":
                    cache.drop(keys[number])
                    put.pop(number, None)
                case "wait":
                    now[0] += number * wrapped_keys.CACHE_SECONDS / 2.5
            fresh = {one for one, at in put.items() if now[0] - at < wrapped_keys.CACHE_SECONDS}
            assert len(cache) == len(fresh)
            assert cache.get(keys[number], b"blob") == (bytes([number]) if number in fresh else None)
            assert {keys.index(one) for one in cache._held} == fresh


def test_only_so_many_are_remembered(vault, monkeypatch):
    monkeypatch.setattr(wrapped_keys, "CACHE_KEYS", 5)
    for _ in range(12):
        customer = uuid.uuid4()
        services.create_customer_key(actor=SYSTEM, subject=customer)
        customer_keys.plain(customer)
        assert wrapped_keys.remembered() <= 5
    assert wrapped_keys.remembered() == 5


@pytest.mark.clause("1.2.c")
def test_shredding_forgets_the_key_at_once(subject, owner):
    key = customer_keys.plain(subject)
    services.shred_key(actor=owner, subject=subject)
    held = [one[2] for one in wrapped_keys._cache._held.values()]
    assert key not in held


@pytest.mark.parametrize("happened", [False, True])
def test_a_deletion_that_fails_forgets_the_key_too(subject, owner, monkeypatch, happened):
    key = customer_keys.plain(subject)
    failing = Failing(wiring.key_store(), "delete", StoreUnavailable("down"), happened=happened)
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "key_store", lambda: failing)
        with pytest.raises(StoreUnavailable):
            services.shred_key(actor=owner, subject=subject)
    assert key not in [one[2] for one in wrapped_keys._cache._held.values()]
    with pytest.raises(KeyShredded):
        customer_keys.plain(subject)


@pytest.mark.parametrize("happened", [False, True])
@pytest.mark.parametrize(
    ("engine", "verb", "error"),
    [
        ("key_service", "wrap", KeyServiceUnavailable("down")),
        ("key_store", "add", StoreUnavailable("down")),
    ],
)
def test_a_key_that_could_not_be_made_can_be_made_again(engine, verb, error, happened, vault, monkeypatch):
    customer = uuid.uuid4()
    with monkeypatch.context() as patch:
        failing = Failing(getattr(wiring, engine)(), verb, error, happened=happened)
        patch.setattr(wiring, engine, lambda: failing)
        with pytest.raises(type(error)):
            services.create_customer_key(actor=SYSTEM, subject=customer)
    services.create_customer_key(actor=SYSTEM, subject=customer)
    assert services.seal_field(subject=customer, field="x", text="works")


@pytest.mark.parametrize("happened", [False, True])
def test_an_object_whose_writing_failed_is_named_by_no_row(subject, owner, vault, monkeypatch, happened):
    with monkeypatch.context() as patch:
        failing = Failing(wiring.object_store(), "write", StoreUnavailable("down"), happened=happened)
        patch.setattr(wiring, "object_store", lambda: failing)
        with pytest.raises(StoreUnavailable):
            services.seal(actor=owner, subject=subject, kind="photo", purpose="generate", plaintext=b"x")
    kept = wiring.object_store().remnants(subject)
    assert len(kept) == int(happened)
    assert services.sweep_orphans(older_than=services.GRACE * 0) == int(happened)
    assert wiring.object_store().remnants(subject) == []
