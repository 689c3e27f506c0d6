"""Sealing and opening through the vault's verbs: warrants, journal, shredding, receipts."""

import datetime as dt
from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction

from headshotly.audit import services as audit
from headshotly.audit.acts import Act, Outcome
from headshotly.audit.errors import JournalUnavailable
from headshotly.audit.leaf import decode
from headshotly.audit.models import Disclosure
from headshotly.audit.together import Together
from headshotly.policy import clock, configuration
from headshotly.vault import receipt, services, wiring
from headshotly.vault.errors import KeyShredded, ObjectDamaged, ObjectMissing, ReceiptForged, WarrantRefused
from headshotly.vault.models import StoredObject

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])
SECRET = b"the plaintext of a photo " * 100


def sealed(person, plaintext: bytes = SECRET):
    return services.seal(
        actor=person.actor, subject=person.id, kind="photo", purpose="headshot-generation", plaintext=plaintext
    )


def disclosures(act: Act) -> list:
    leaves = [decode(bytes(row.leaf)) for row in Disclosure.objects.using("journal").order_by("id")]
    return [leaf for leaf in leaves if leaf.act == act]


@pytest.mark.clause("3.2.a")
def test_what_is_sealed_can_be_opened_and_is_not_readable_at_rest(person) -> None:
    object_id = sealed(person)
    assert services.open(object_id=object_id, warrant=person.warrant()) == SECRET
    folder = configuration.current().data_folder
    assert not [path for path in folder.rglob("*") if path.is_file() and SECRET[:24] in path.read_bytes()]


@pytest.mark.clause("5.3.a")
def test_every_opening_is_in_the_journal_before_the_bytes_come_out(person) -> None:
    object_id = sealed(person)
    warrant = person.warrant("download")
    services.open(object_id=object_id, warrant=warrant)
    (leaf,) = disclosures(Act.OBJECT_OPENED)
    assert (leaf.object_ids, leaf.warrant_id, leaf.purpose) == ((object_id,), warrant.id, "download")
    assert leaf.actor == person.actor


@pytest.mark.clause("5.3.a")
@pytest.mark.parametrize("written", [False, True], ids=["did-not-happen", "happened-but-reported-failure"])
def test_no_entry_no_plaintext(person, monkeypatch, written: bool) -> None:
    object_id = sealed(person)

    def broken(rows) -> None:
        if written:
            audit._commit(rows)
        raise DatabaseError("the answer was lost")

    monkeypatch.setattr(audit, "_together", Together(broken))
    unwrapped = []
    monkeypatch.setattr(services.customer_keys, "plain", unwrapped.append)
    with pytest.raises(JournalUnavailable, match="nothing was opened"):
        services.open(object_id=object_id, warrant=person.warrant())
    assert unwrapped == []
    assert len(disclosures(Act.OBJECT_OPENED)) == written


@pytest.mark.clause("5.1.a")
def test_warrants_that_are_not_good_are_refused_and_journalled(person, make_person, monkeypatch) -> None:
    other = make_person("eve@example.org")
    object_id = sealed(person)
    good = person.warrant()
    past = replace(good, expires_at=clock.now() - dt.timedelta(seconds=1))
    bad = [
        other.warrant(),
        replace(other.warrant(), subject=person.id),
        replace(good, mac=bytes(32)),
        replace(good, purpose="anything"),
        replace(good, expires_at=good.expires_at + dt.timedelta(days=1)),
        past,
    ]
    for warrant in bad:
        with pytest.raises(WarrantRefused):
            services.open(object_id=object_id, warrant=warrant)
    refusals = disclosures(Act.WARRANT_REFUSED)
    assert len(refusals) == len(bad)
    assert {leaf.outcome for leaf in refusals} == {Outcome.REFUSED}
    later = good.expires_at
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(WarrantRefused):
        services.open(object_id=object_id, warrant=good)


def test_an_unknown_object_is_journalled_and_missing(person) -> None:
    with pytest.raises(ObjectMissing):
        services.open(object_id=uuid4(), warrant=person.warrant())
    assert len(disclosures(Act.WARRANT_REFUSED)) == 1


@pytest.mark.clause("3.2.a")
def test_a_sealed_field_opens_for_its_subject_and_field_only(person, make_person) -> None:
    other = make_person("eve@example.org")
    blob = services.seal_field(subject=person.id, field="accounts.name", text="Łucja")
    assert b"ucja" not in blob
    opened = services.open_field(subject=person.id, field="accounts.name", sealed=blob, warrant=person.warrant())
    assert opened == "Łucja"
    with pytest.raises(ObjectDamaged):
        services.open_field(subject=person.id, field="accounts.email", sealed=blob, warrant=person.warrant())
    with pytest.raises(ObjectDamaged):
        services.open_field(subject=other.id, field="accounts.name", sealed=blob, warrant=other.warrant())
    assert len(disclosures(Act.FIELD_OPENED)) == 3


def test_the_blind_index_finds_equal_values_only() -> None:
    one = services.blind_index(field="accounts.email", value="ada@example.org")
    assert one == services.blind_index(field="accounts.email", value="ada@example.org")
    assert len(one) == 32
    assert one != services.blind_index(field="accounts.email", value="bea@example.org")
    assert one != services.blind_index(field="accounts.name", value="ada@example.org")


@pytest.mark.clause("1.2.c")
def test_shredding_leaves_nothing_and_says_so_verifiably(person) -> None:
    ids = [sealed(person, bytes([number]) * 1000) for number in range(3)]
    warrant = person.warrant()
    document = services.shred(actor=person.actor, subject=person.id)
    statement = receipt.verify(document, expected_key=services.receipt_public_key())
    assert {item["id"] for item in statement["objects"]} == {str(object_id) for object_id in ids}
    assert wiring.erasure_ledger().holds(person.id)
    assert not StoredObject.objects.filter(subject=person.id).exists()
    assert list(wiring.object_store().objects(before=clock.now() + dt.timedelta(days=1))) == []
    with pytest.raises(ObjectMissing):
        services.open(object_id=ids[0], warrant=warrant)
    with pytest.raises(KeyShredded):
        services.create_customer_key(actor=person.actor, subject=person.id)


@pytest.mark.clause("3.2.b")
def test_a_shredded_key_opens_nothing_even_when_the_bytes_are_still_there(person) -> None:
    object_id = sealed(person)
    warrant = person.warrant()
    services.open(object_id=object_id, warrant=warrant)  # the key is cached now
    services.shred_key(actor=person.actor, subject=person.id)
    with pytest.raises(KeyShredded):
        services.open(object_id=object_id, warrant=warrant)


def test_no_receipt_while_a_byte_remains(person, monkeypatch) -> None:
    sealed(person)
    store = wiring.object_store()
    monkeypatch.setattr(type(store), "delete_all", lambda *_: None)
    with pytest.raises(Exception, match="not everything is gone"):
        services.shred(actor=person.actor, subject=person.id)
    assert StoredObject.objects.filter(subject=person.id).count() == 1
    monkeypatch.undo()
    assert len(services.shred(actor=person.actor, subject=person.id)["statement"]["objects"]) == 1


@pytest.mark.parametrize("change", ["objects", "erased_at", "signature", "format", "public_key"])
def test_a_changed_receipt_is_refused(person, change: str) -> None:
    sealed(person)
    document = services.shred(actor=person.actor, subject=person.id)
    if change in {"objects", "erased_at"}:
        document["statement"][change] = []
    else:
        document[change] = "AAAA"
    with pytest.raises(ReceiptForged):
        receipt.verify(document)


def test_destroying_one_object_leaves_the_others(person) -> None:
    one, two = sealed(person), sealed(person)
    services.destroy(actor=person.actor, object_id=one)
    services.destroy(actor=person.actor, object_id=one)
    with pytest.raises(ObjectMissing):
        services.open(object_id=one, warrant=person.warrant())
    assert services.open(object_id=two, warrant=person.warrant()) == SECRET


def test_a_range_is_part_of_the_whole(person) -> None:
    data = bytes(range(256)) * 12_000
    object_id = sealed(person, data)
    for start, length in ((0, 10), (1_048_500, 200), (3_071_990, 100), (5_000_000, 5), (0, 4_000_000)):
        found = services.open_range(object_id=object_id, warrant=person.warrant(), start=start, length=length)
        assert found == data[start : start + length]


def test_a_write_that_rolled_back_leaves_no_entry(person) -> None:
    from headshotly.audit.models import PendingEntry

    before = PendingEntry.objects.count()
    with transaction.atomic():
        audit.record(actor=person.actor, act=Act.PHOTO_RECEIVED, subject=person.id)
        transaction.set_rollback(True)
    assert PendingEntry.objects.count() == before


def written(person, plaintext: bytes = SECRET) -> services.Written:
    return services.write_sealed(subject=person.id, kind="photo", purpose="headshot-generation", plaintext=plaintext)


def kept() -> set:
    return {object_id for _, object_id in wiring.object_store().objects(before=clock.now() + services.GRACE)}


@pytest.mark.clause("3.2.a")
def test_what_was_written_opens_once_it_is_entered(person) -> None:
    one, other = written(person), written(person, b"another")
    with pytest.raises(ObjectMissing):
        services.open(object_id=one.object_id, warrant=person.warrant())
    with transaction.atomic():
        services.enter(one, other, actor=person.actor)
    assert services.open(object_id=one.object_id, warrant=person.warrant()) == SECRET
    assert services.open(object_id=other.object_id, warrant=person.warrant()) == b"another"
    row = StoredObject.objects.get(id=one.object_id)
    assert row.sealed_bytes == one.sealed_bytes == wiring.object_store().open(person.id, one.object_id).size


def test_objects_are_entered_within_a_transaction_only(person) -> None:
    one = written(person)
    with pytest.raises(transaction.TransactionManagementError):
        services.enter(one, actor=person.actor)
    assert not StoredObject.objects.exists()


def test_what_was_entered_and_rolled_back_is_swept_or_discarded(person) -> None:
    one, other, young = written(person), written(person), written(person)
    with transaction.atomic():
        services.enter(one, other, actor=person.actor)
        transaction.set_rollback(True)
    services.discard(other)
    services.discard(other)
    assert kept() == {one.object_id, young.object_id}
    assert services.sweep_orphans() == 0, "young ones may be about to be entered"
    assert services.sweep_orphans(older_than=-services.GRACE) == 2
    assert kept() == set()


def test_what_a_row_names_is_not_discarded(person) -> None:
    """As after a commit that happened and reported failure."""
    one = written(person)
    with transaction.atomic():
        services.enter(one, actor=person.actor)
    services.discard(one)
    assert services.open(object_id=one.object_id, warrant=person.warrant()) == SECRET


@pytest.mark.clause("3.2.b")
@pytest.mark.parametrize("whole", [False, True], ids=["the key alone", "everything"])
def test_who_is_deleted_between_writing_and_entering_leaves_nothing(person, whole: bool) -> None:
    one, other = written(person), written(person)
    (services.shred if whole else services.shred_key)(actor=person.actor, subject=person.id)
    with pytest.raises(KeyShredded), transaction.atomic():
        services.enter(one, other, actor=person.actor)
    assert not StoredObject.objects.exists()
    assert kept() == set()
