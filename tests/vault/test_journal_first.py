"""The entry of an opening outlives whatever the caller's transaction does."""

import pytest
from django.db import transaction

from headshotly.audit.acts import Act
from headshotly.vault import services
from tests.vault.conftest import DATABASES

pytestmark = pytest.mark.django_db(databases=DATABASES, transaction=True)


class Undone(Exception):
    """The caller's transaction fails."""


def undone(act):
    """Do something in a transaction that is rolled back."""
    with transaction.atomic():
        act()
        raise Undone


@pytest.mark.clause("5.3.a")
def test_no_rollback_erases_an_opening(owner, subject, warrant, journal):
    photo = services.seal(actor=owner, subject=subject, kind="photo", purpose="generate", plaintext=b"photo")
    with pytest.raises(Undone):
        undone(lambda: services.open(object_id=photo, warrant=warrant))
    assert [entry.act for entry in journal()].count(Act.OBJECT_OPENED) == 1


def test_no_rollback_erases_a_shredding(owner, subject, journal):
    with pytest.raises(Undone):
        undone(lambda: services.shred(actor=owner, subject=subject))
    assert [entry.act for entry in journal()].count(Act.KEY_SHREDDED) == 1


def test_a_rolled_back_seal_leaves_an_orphan_that_a_sweep_removes(owner, subject, vault, journal):
    about = {"actor": owner, "subject": subject, "kind": "photo", "purpose": "generate"}
    with pytest.raises(Undone):
        undone(lambda: services.seal(**about, plaintext=b"photo"))
    kept = list((vault.data_folder / "objects").rglob("*.sealed"))
    assert len(kept) == 1
    assert Act.OBJECT_SEALED not in {entry.act for entry in journal()}
    # Younger than the grace, its row might be about to be committed.
    assert services.sweep_orphans() == 0
    assert kept[0].exists()
    assert services.sweep_orphans(older_than=services.GRACE * 0) == 1
    assert not kept[0].exists()
