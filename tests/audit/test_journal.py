"""The journal: sequenced, signed, witnessed, and every tampering named."""

import io
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from headshotly.audit import export, keys, merkle, selectors, sequencing, services, verification
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.audit.checkpoint import Checkpoint, parse_verifier_key, read, sign
from headshotly.audit.errors import CheckpointForged, JournalDamaged
from headshotly.audit.leaf import decode
from headshotly.audit.models import Disclosure, Entry, PendingEntry, SignedHead, Subtree
from headshotly.audit.witnesses import witness

databases = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])


def written(count: int, subject=None) -> None:
    for number in range(count):
        verb = services.record if number % 2 else services.record_durably
        verb(actor=SYSTEM, act=Act.PHOTO_RECEIVED, subject=subject, purpose=f"entry {number}")


def grown(leaves: list[bytes]) -> dict:
    tree: dict = {}
    tree.update(merkle.append(0, [merkle.leaf_hash(leaf) for leaf in leaves], tree.__getitem__))
    return tree


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=70), st.data())
def test_the_tree_agrees_with_an_independent_one(leaves: list[bytes], data) -> None:
    tree = grown(leaves)
    oracle = InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        oracle.append_entry(leaf)
    size = data.draw(st.integers(1, len(leaves)))
    index = data.draw(st.integers(0, size - 1))
    root = merkle.root(size, tree.__getitem__)
    assert root == oracle.get_root(size)
    path = merkle.inclusion_proof(index, size, tree.__getitem__)
    assert merkle.root_from_inclusion(merkle.leaf_hash(leaves[index]), index, size, path) == root
    wrong = merkle.root_from_inclusion(merkle.leaf_hash(leaves[index] + b"!"), index, size, path)
    assert wrong != root
    old = data.draw(st.integers(1, size))
    proof = merkle.consistency_proof(old, size, tree.__getitem__)
    old_root = merkle.root(old, tree.__getitem__)
    assert merkle.is_consistent(old, old_root, size, root, proof)
    assert not merkle.is_consistent(old, bytes(32), size, root, proof)
    assert not merkle.is_consistent(old, old_root, size, bytes(32), proof)


def test_an_act_is_spelled_room_thing_verb() -> None:
    import re

    for act in Act:
        assert re.fullmatch(r"[a-z]+\.[a-z-]+\.[a-z-]+", act.value), act
        assert act.value.split(".")[2].endswith(("ed", "ade", "ent", "en", "wn", "ed-up", "eld")), act


@databases
@pytest.mark.clause("5.3.a")
def test_everything_written_is_sequenced_once_and_verifies() -> None:
    written(25)
    assert sequencing.sequence_once() == 25
    assert sequencing.sequence_once() == 0
    written(3)
    sequencing.sequence_once()
    found = verification.verify()
    assert (found.entries, found.heads, found.witnessed) == (28, 2, 2)
    assert selectors.waiting() == 0


@databases
def test_a_disclosure_already_sequenced_is_not_sequenced_again() -> None:
    written(1)
    row = Disclosure.objects.using("journal").get()
    sequencing.sequence_once()
    # as after a crash between the commit and the removal
    Disclosure.objects.using("journal").create(entry_id=row.entry_id, leaf=row.leaf)
    assert sequencing.sequence_once() == 0
    assert Entry.objects.count() == 1
    assert Disclosure.objects.using("journal").count() == 0


def edit() -> None:
    entry = Entry.objects.get(index=3)
    leaf = bytes(entry.leaf).replace(b"entry ", b"Entry ")
    Entry.objects.filter(index=3).update(leaf=leaf, leaf_hash=merkle.leaf_hash(leaf))


def delete() -> None:
    Entry.objects.filter(index=3).delete()


def cut() -> None:
    Entry.objects.filter(index__gte=8).delete()


def cut_behind_the_witness() -> None:
    cut()
    SignedHead.objects.all().delete()
    SignedHead.objects.create(
        size=8,
        note=sign(Checkpoint(keys.ORIGIN, 8, merkle.root(8, sequencing.stored_subtree)), keys.signing_key()),
        signed_at=Entry.objects.get(index=0).occurred_at,
    )


def reorder() -> None:
    one, two = Entry.objects.get(index=3), Entry.objects.get(index=4)
    Entry.objects.filter(index__in=[3, 4]).delete()
    one.index, two.index = 4, 3
    one.save(force_insert=True)
    two.save(force_insert=True)


def fork() -> None:
    head = SignedHead.objects.get()
    other = Checkpoint(keys.ORIGIN, head.size, bytes(32))
    SignedHead.objects.filter(size=head.size).update(note=sign(other, keys.signing_key()))


def forge_head() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    head = SignedHead.objects.get()
    checkpoint = read(head.note, keys.public_key())
    SignedHead.objects.update(note=sign(checkpoint, Ed25519PrivateKey.generate()))


def relabel() -> None:
    Entry.objects.filter(index=3).update(subject=uuid4())


def add() -> None:
    last = Entry.objects.order_by("-index").first()
    leaf = bytes(last.leaf).replace(str(last.entry_id).encode(), b"00000000-0000-4000-8000-000000000000")
    Entry.objects.create(
        index=last.index + 1, entry_id="00000000-0000-4000-8000-000000000000", leaf=leaf,
        leaf_hash=merkle.leaf_hash(leaf), act=last.act, occurred_at=last.occurred_at, subject=last.subject,
    )  # fmt: skip


@databases
@pytest.mark.clause("5.3.a")
@pytest.mark.parametrize(
    ("tamper", "sentence"),
    [
        (edit, "not the ones that were signed"),
        (delete, "Entry 3 is missing"),
        (cut, "cut short"),
        (cut_behind_the_witness, "cut short"),
        (reorder, "not the ones that were signed"),
        (fork, "forked"),
        (forge_head, "journal's key"),
        (relabel, "columns beside entry 3"),
    ],
)
def test_tampering_is_found_and_named(tamper, sentence: str) -> None:
    written(12)
    sequencing.sequence_once()
    verification.verify()
    tamper()
    with pytest.raises(JournalDamaged, match=sentence):
        verification.verify()


@databases
def test_an_unreadable_row_in_the_outbox_stops_nothing_silently() -> None:
    written(2)
    PendingEntry.objects.update(leaf=b"{}")
    with pytest.raises(JournalDamaged):
        sequencing.sequence_once()
    assert PendingEntry.objects.count() == 1  # nothing was thrown away


@databases
def test_an_export_verifies_with_nothing_but_a_key(tmp_path) -> None:
    written(9)
    sequencing.sequence_once()
    path = tmp_path / "journal"
    note = selectors.latest_head()
    with path.open("w") as out:
        export.write(out, note=note, verifier=keys.published_key(), leaves=selectors.leaves(9))
    assert export.verify_file(path, verifier=keys.published_key()).size == 9
    lines = path.read_text().splitlines()
    for damaged in (lines[:-1], [*lines, lines[-1]], [lines[0], lines[2], lines[1], *lines[3:]], lines[1:], []):
        path.write_text("\n".join(damaged) + "\n")
        with pytest.raises(JournalDamaged):
            export.verify_file(path, verifier=keys.published_key())


@databases
@pytest.mark.clause("5.3.a")
def test_a_customers_entries_come_with_proofs_that_hold() -> None:
    subject = uuid4()
    written(5)
    written(4, subject)
    written(5)
    sequencing.sequence_once()
    document = selectors.proofs_of_subject(subject)
    assert export.verify_openings(document, verifier=keys.published_key()) == 4
    document["entries"][1]["leaf"] = document["entries"][2]["leaf"]
    with pytest.raises(JournalDamaged, match="not in the journal"):
        export.verify_openings(document, verifier=keys.published_key())


@databases
def test_the_journal_holds_pseudonyms_only() -> None:
    services.record(actor=Actor(kind="customer", id=uuid4()), act=Act.PHOTO_RECEIVED, sealed_details=b"ciphertext")
    sequencing.sequence_once()
    entry = Entry.objects.get()
    assert b"ciphertext" not in bytes(entry.leaf)
    assert len(decode(bytes(entry.leaf)).details_sha256) == 64
    Entry.objects.update(sealed_details=b"other")
    with pytest.raises(JournalDamaged, match="sealed details"):
        verification.verify()


def test_notes_with_two_spellings_or_no_signature_are_refused() -> None:
    key = keys.signing_key()
    note = sign(Checkpoint(keys.ORIGIN, 7, bytes(32)), key)
    assert read(note, keys.public_key()).size == 7
    for bad in (note.replace("\n7\n", "\n07\n"), note.replace("\n7\n", "\n8\n"), note.split("— ")[0], "", note[:-9]):
        with pytest.raises(CheckpointForged):
            read(bad, keys.public_key())


def test_a_verifier_key_is_checked_against_its_own_id() -> None:
    text = keys.published_key()
    assert parse_verifier_key(text) == (keys.ORIGIN, keys.public_key())
    with pytest.raises(CheckpointForged):
        parse_verifier_key(text.replace("+", "+0", 1))


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_decoder(data: bytes) -> None:
    try:
        leaf = decode(data)
    except JournalDamaged:
        return
    assert leaf.encode() == data


@databases
def test_the_witness_keeps_the_first_note_of_a_size() -> None:
    written(1)
    sequencing.sequence_once()
    first = witness().notes()
    witness().keep(1, "another")
    assert witness().notes() == first


@databases
def test_every_stored_subtree_is_written_once() -> None:
    written(33)
    sequencing.sequence_once()
    assert Subtree.objects.count() == sum(33 >> level for level in range(6))
    out = io.StringIO()
    assert export.write(out, note="n", verifier="v", leaves=selectors.leaves(33)) == 33
