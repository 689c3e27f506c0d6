"""Every way to tamper with the journal is found, and named in a sentence."""

import datetime as dt
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection
from django.db.models import F

from headshotly.audit import keys, merkle, selectors
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.audit.checkpoint import Checkpoint, read, sign
from headshotly.audit.errors import JournalDamaged
from headshotly.audit.models import Entry, SignedHead, Subtree
from headshotly.audit.sequencing import sequence_once
from headshotly.audit.services import record
from headshotly.audit.verification import verify

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "journal"]),
    pytest.mark.usefixtures("witness_folder"),
]

_SIZES = (3, 7, 11)


@pytest.fixture(autouse=True)
def _journal(witness_folder):
    """Eleven entries under three heads, and it verifies."""
    entries = 0
    for size in _SIZES:
        for _ in range(size - entries):
            record(actor=SYSTEM, act=Act.OBJECT_OPENED, purpose="customer’s wish", sealed_details=b"ciphertext")
        sequence_once()
        entries = size
    assert verify().heads == 3


def _head(size):
    return read(SignedHead.objects.get(size=size).note, keys.public_key(), origin=keys.ORIGIN)


def _retell(entry, *, leaf):
    """Rewrite an entry so that its row is sound in itself."""
    Entry.objects.filter(index=entry.index).update(leaf=leaf, leaf_hash=merkle.leaf_hash(leaf))


def edit():
    Entry.objects.filter(index=5).update(leaf=b"{}")


def edit_a_word():
    entry = Entry.objects.get(index=5)
    Entry.objects.filter(index=5).update(leaf=bytes(entry.leaf).replace(b"wish", b"whim"))


def edit_soundly():
    entry = Entry.objects.get(index=5)
    _retell(entry, leaf=bytes(entry.leaf).replace(b"wish", b"whim"))


def edit_the_subject_column():
    Entry.objects.filter(index=5).update(subject=uuid.uuid4())


def edit_the_time_column():
    Entry.objects.filter(index=5).update(occurred_at=F("occurred_at") + dt.timedelta(days=1))


def edit_the_hash():
    Entry.objects.filter(index=5).update(leaf_hash=bytes(32))


def swap_the_details():
    Entry.objects.filter(index=5).update(sealed_details=b"other ciphertext")


def delete():
    Entry.objects.filter(index=5).delete()


def delete_and_close_the_gap():
    Entry.objects.filter(index=5).delete()
    for index in range(6, 11):
        Entry.objects.filter(index=index).update(index=index - 1)


def reorder():
    Entry.objects.filter(index=4).update(index=99)
    Entry.objects.filter(index=5).update(index=4)
    Entry.objects.filter(index=99).update(index=5)


def truncate():
    Entry.objects.filter(index__gte=7).delete()


def truncate_with_heads():
    Entry.objects.filter(index__gte=7).delete()
    SignedHead.objects.filter(size__gt=7).delete()
    Subtree.objects.filter(level=0, position__gte=7).delete()


def add_behind_the_head():
    last = Entry.objects.get(index=10)
    leaf = bytes(last.leaf).replace(str(last.entry_id).encode(), str(fresh := uuid.uuid4()).encode())
    last.index, last.entry_id, last.leaf, last.leaf_hash = 11, fresh, leaf, merkle.leaf_hash(leaf)
    last.save(force_insert=True)
    Subtree.objects.create(level=0, position=11, hash=merkle.leaf_hash(leaf))
    node = merkle.node_hash(bytes(Subtree.objects.get(level=0, position=10).hash), merkle.leaf_hash(leaf))
    Subtree.objects.create(level=1, position=5, hash=node)
    quad = merkle.node_hash(bytes(Subtree.objects.get(level=1, position=4).hash), node)
    Subtree.objects.create(level=2, position=2, hash=quad)


def remove_a_head():
    SignedHead.objects.filter(size=7).delete()


def remove_the_last_head(witness_folder):
    SignedHead.objects.filter(size=11).delete()
    (witness_folder / f"{11:020}.note").unlink()


def forge_a_head():
    note = sign(_head(7), Ed25519PrivateKey.generate())
    SignedHead.objects.filter(size=7).update(note=note)


def fork_with_our_key():
    SignedHead.objects.filter(size=7).update(note=sign(Checkpoint(keys.ORIGIN, 7, bytes(32)), keys.signing_key()))


def head_too_far_ahead():
    note = sign(Checkpoint(keys.ORIGIN, 12, bytes(32)), keys.signing_key())
    SignedHead.objects.create(size=12, note=note, signed_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


def rewrite_everything_with_our_key():
    """The worst case: somebody holds the database and the signing key, but not the witness."""
    entry = Entry.objects.get(index=5)
    _retell(entry, leaf=bytes(entry.leaf).replace(b"wish", b"whim"))
    Subtree.objects.all().delete()
    tree = merkle.Frontier()
    for leaf in selectors.leaves(11):
        for (level, position), hash_ in tree.add(merkle.leaf_hash(leaf)):
            Subtree.objects.create(level=level, position=position, hash=hash_)
        if tree.size in _SIZES:
            note = sign(Checkpoint(keys.ORIGIN, tree.size, tree.root), keys.signing_key())
            SignedHead.objects.filter(size=tree.size).update(note=note)


def change_the_stored_tree():
    Subtree.objects.filter(level=2, position=1).update(hash=bytes(32))


def thin_the_stored_tree():
    Subtree.objects.filter(level=0, position=4).delete()


_TABLE = [
    (edit, "cannot be read"),
    (edit_a_word, "Entry 5 does not match its own hash"),
    (edit_soundly, "stored tree was changed at node 5 on level 0"),
    (edit_the_subject_column, "columns beside entry 5"),
    (edit_the_time_column, "columns beside entry 5"),
    (edit_the_hash, "Entry 5 does not match its own hash"),
    (swap_the_details, "sealed details of entry 5 were replaced"),
    (delete, "Entry 5 is missing"),
    (delete_and_close_the_gap, "stored tree was changed at node 5"),
    (reorder, "stored tree was changed at node 4"),
    (truncate, "cut short: a signed head covers 11 entries, but only 7 are there"),
    (truncate_with_heads, "cut short: a signed head covers 11 entries, but only 7 are there"),
    (add_behind_the_head, "added behind the last signed head"),
    (remove_a_head, "signed head over 7 entries was removed; the witness still has it"),
    (forge_a_head, "No signature on the checkpoint is by the journal's key"),
    (fork_with_our_key, "forked: two signed heads over 7 entries disagree"),
    (head_too_far_ahead, "cut short: a signed head covers 12 entries, but only 11 are there"),
    (rewrite_everything_with_our_key, "forked: two signed heads over 7 entries disagree"),
    (change_the_stored_tree, "stored tree was changed at node 1 on level 2"),
    (thin_the_stored_tree, "stored tree lacks its node 4 on level 0"),
]


@pytest.mark.clause("5.3.a")
@pytest.mark.parametrize(("tamper", "sentence"), _TABLE, ids=[tamper.__name__ for tamper, _ in _TABLE])
def test_tampering_is_found_and_named(tamper, sentence):
    tamper()
    with pytest.raises(JournalDamaged, match=sentence):
        verify()


@pytest.mark.clause("5.3.a")
def test_a_sound_rewrite_of_entries_and_tree_still_breaks_the_heads():
    entry = Entry.objects.get(index=5)
    _retell(entry, leaf=bytes(entry.leaf).replace(b"wish", b"whim"))
    tree = merkle.Frontier()
    for leaf in selectors.leaves(11):
        for (level, position), hash_ in tree.add(merkle.leaf_hash(leaf)):
            Subtree.objects.filter(level=level, position=position).update(hash=hash_)
    with pytest.raises(JournalDamaged, match="first 7 entries are not the ones that were signed"):
        verify()


@pytest.mark.clause("5.3.a")
def test_the_last_head_gone_here_and_at_the_witness_is_found(witness_folder):
    remove_the_last_head(witness_folder)
    with pytest.raises(JournalDamaged, match="added behind the last signed head"):
        verify()


@pytest.mark.clause("5.3.a")
def test_an_emptied_database_is_found_by_the_witness():
    for model in (Entry, SignedHead, Subtree):
        model.objects.all().delete()
    with pytest.raises(JournalDamaged, match="cut short: a signed head covers 11 entries, but only 0 are there"):
        verify()


@pytest.mark.clause("5.3.a")
def test_a_changed_note_at_the_witness_is_found(witness_folder):
    path = witness_folder / f"{7:020}.note"
    path.chmod(0o600)
    path.write_text(path.read_text().replace("7\n", "8\n", 1))
    with pytest.raises(JournalDamaged, match="No signature"):
        verify()


def test_verifying_from_a_kept_checkpoint_recomputes_only_the_rest():
    found = verify(_head(7))
    assert (found.entries, found.recomputed) == (11, 4)


@pytest.mark.clause("5.3.a")
def test_a_kept_checkpoint_shows_what_changed_before_and_after_it():
    kept = _head(7)
    edit_soundly_after = Entry.objects.get(index=9)
    _retell(edit_soundly_after, leaf=bytes(edit_soundly_after.leaf).replace(b"wish", b"whim"))
    with pytest.raises(JournalDamaged, match="stored tree was changed at node 9"):
        verify(kept)
    other = Checkpoint(keys.ORIGIN, 7, bytes(32))
    with pytest.raises(JournalDamaged, match="first 7 entries are not the ones the checkpoint"):
        verify(other)
    with pytest.raises(JournalDamaged, match="checkpoint covers 12 entries, but only 11"):
        verify(Checkpoint(keys.ORIGIN, 12, bytes(32)))


def test_the_empty_journal_verifies(witness_folder):
    for model in (Entry, SignedHead, Subtree):
        model.objects.all().delete()
    for note in witness_folder.iterdir():
        note.unlink()
    assert verify().entries == 0
    assert connection.vendor in {"sqlite", "postgresql"}
