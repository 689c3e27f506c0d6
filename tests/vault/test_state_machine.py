"""Customers, objects and keys in any order of acts, against a model of what must open and what must not."""

import datetime as dt
import os
import uuid

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from headshotly.audit.actor import SYSTEM, Actor
from headshotly.vault import minting, receipt, rotation, selectors, services, wiring
from headshotly.vault.errors import KeyShredded, ObjectMissing, WarrantRefused
from headshotly.vault.models import StoredObject
from tests.vault.conftest import DATABASES


class Vault(RuleBasedStateMachine):
    """The room, used at random."""

    customers = Bundle("customers")
    objects = Bundle("objects")

    fresh = staticmethod(lambda: None)  # the test puts a way to empty the stores here

    def __init__(self):
        super().__init__()
        self.fresh()
        self.kept: dict[uuid.UUID, dict[uuid.UUID, bytes]] = {}
        self.fields: dict[uuid.UUID, bytes] = {}
        self.erased: set[uuid.UUID] = set()

    @staticmethod
    def warrant(subject):
        actor = Actor(kind="customer", id=subject)
        return minting.mint(
            actor=actor, subject=subject, purpose="test", basis="session:1", valid_for=dt.timedelta(minutes=1)
        )

    @rule(target=customers)
    def sign_up(self):
        subject = uuid.uuid4()
        services.create_customer_key(actor=SYSTEM, subject=subject)
        self.kept[subject] = {}
        self.fields[subject] = services.seal_field(subject=subject, field="name", text=str(subject))
        return subject

    @rule(target=objects, subject=customers, content=st.binary(max_size=50))
    def seal(self, subject, content):
        if subject in self.erased:
            with pytest.raises(KeyShredded):
                services.seal(actor=SYSTEM, subject=subject, kind="photo", purpose="test", plaintext=content)
            return subject, uuid.uuid4()
        object_id = services.seal(actor=SYSTEM, subject=subject, kind="photo", purpose="test", plaintext=content)
        self.kept[subject][object_id] = content
        return subject, object_id

    @rule(one=objects, asker=customers)
    def open(self, one, asker):
        owner, object_id = one
        content = self.kept[owner].get(object_id)
        if content is None:
            with pytest.raises(ObjectMissing):
                services.open(object_id=object_id, warrant=self.warrant(asker))
        elif asker != owner:
            with pytest.raises(WarrantRefused):
                services.open(object_id=object_id, warrant=self.warrant(asker))
        else:
            assert services.open(object_id=object_id, warrant=self.warrant(asker)) == content

    @rule(subject=customers)
    def open_field(self, subject):
        about = {"subject": subject, "field": "name", "sealed": self.fields[subject]}
        if subject in self.erased:
            with pytest.raises(KeyShredded):
                services.open_field(**about, warrant=self.warrant(subject))
        else:
            assert services.open_field(**about, warrant=self.warrant(subject)) == str(subject)

    @rule(one=consumes(objects))
    def destroy(self, one):
        owner, object_id = one
        services.destroy(actor=SYSTEM, object_id=object_id)
        self.kept[owner].pop(object_id, None)

    @rule(subject=customers)
    def shred(self, subject):
        statement = receipt.verify(services.shred(actor=SYSTEM, subject=subject))
        if subject not in self.erased:
            assert {one["id"] for one in statement["objects"]} == {str(one) for one in self.kept[subject]}
        self.erased.add(subject)
        self.kept[subject] = {}

    @rule()
    def rotate(self):
        rotation.rotate(actor=SYSTEM)

    @rule()
    def restart(self):
        for engine in (wiring.key_service, wiring.key_store, wiring.object_store, wiring.erasure_ledger):
            engine.cache_clear()
        services.forget_plaintext_keys()

    @rule()
    def tidy(self):
        assert services.sweep_orphans(older_than=dt.timedelta(0)) == 0
        assert services.replay_erasures(actor=SYSTEM) == 0
        assert services.repair_key_replicas() == 0

    @invariant()
    def the_stores_hold_what_the_model_holds(self):
        for subject, objects in self.kept.items():
            assert set(selectors.objects_of(subject)) == set(objects)
            assert len(wiring.object_store().remnants(subject)) == len(objects)
            assert selectors.is_readable(subject) == (subject not in self.erased)


@pytest.mark.django_db(databases=DATABASES)
@pytest.mark.parametrize("key_store", ["folder", "database"])
def test_any_order_of_acts(configure, key_store, monkeypatch, tmp_path_factory):
    # Power cuts are not what is tried here, and a thousand syncs take a minute.
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)

    def fresh():
        StoredObject.objects.all().delete()
        for key_id in list(wiring.key_store().ids()):
            wiring.key_store().delete(key_id)
        folder = str(tmp_path_factory.mktemp("vault"))
        places = ("keys.folder", "keys.mirror", "objects.folder", "erasures.folder", "erasures.mirror", "kms.folder")
        configure(key_store=key_store, options={place: f"{folder}/{place}" for place in places})

    fresh()
    monkeypatch.setattr(Vault, "fresh", staticmethod(fresh))
    run_state_machine_as_test(
        Vault,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
