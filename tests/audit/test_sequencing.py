"""Recording and sequencing: what is committed is sequenced once, whatever fails in between."""

import uuid
from unittest import mock

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from headshotly.audit import keys, merkle, selectors, sequencing, witnesses
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.audit.checkpoint import read
from headshotly.audit.errors import JournalDamaged, JournalUnavailable
from headshotly.audit.export import verify_openings
from headshotly.audit.leaf import decode
from headshotly.audit.models import DamagedEntry, Disclosure, Entry, PendingEntry, SignedHead
from headshotly.audit.sequencing import sequence_once
from headshotly.audit.services import record, record_durably
from headshotly.audit.verification import verify

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "journal"]),
    pytest.mark.usefixtures("witness_folder"),
]


def ids() -> list[uuid.UUID]:
    return list(Entry.objects.order_by("index").values_list("entry_id", flat=True))


def test_an_entry_says_what_was_recorded():
    subject, warrant, one, two = (uuid.uuid4() for _ in range(4))
    entry_id = record(
        actor=Actor(kind="staff", id=warrant, role="support"),
        act=Act.OBJECT_OPENED,
        subject=subject,
        purpose="support",
        warrant_id=warrant,
        object_ids=[one, two],
        outcome=Outcome.REFUSED,
        sealed_details=b"ciphertext",
    )
    assert sequence_once() == 1
    [found] = selectors.entries_of_subject(subject)
    assert (found.leaf.entry_id, found.leaf.object_ids, found.leaf.warrant_id) == (entry_id, (one, two), warrant)
    assert (found.leaf.actor.role, found.leaf.outcome, found.leaf.purpose) == ("support", Outcome.REFUSED, "support")
    assert verify().entries == 1


def test_stored_hashes_are_looked_up_and_not_searched_for():
    for _ in range(9):
        record(actor=SYSTEM, act=Act.KEY_CREATED)
    sequence_once()
    places = merkle.covering(0, 9)
    with CaptureQueriesContext(connection) as asked:
        assert set(sequencing.stored_subtrees(places)) == set(places)
    if connection.vendor != "sqlite":
        return  # it reads a table this small in whole, and knows better with a large one
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked.captured_queries[0]['sql']}")
        plan = [str(row[3]) for row in cursor.fetchall()]
    assert any("SEARCH audit_subtree USING INDEX" in step for step in plan)
    assert not any(step.startswith("SCAN audit_subtree") for step in plan)


def test_a_write_and_its_entry_roll_back_together():
    with transaction.atomic():
        record(actor=SYSTEM, act=Act.KEY_CREATED)
        transaction.set_rollback(True)
    assert selectors.waiting() == 0


@pytest.mark.clause("5.3.a")
def test_no_rollback_of_the_caller_erases_a_disclosure():
    with transaction.atomic():
        record(actor=SYSTEM, act=Act.KEY_CREATED)
        record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
        transaction.set_rollback(True)
    sequence_once()
    assert [decode(bytes(entry.leaf)).act for entry in Entry.objects.all()] == [Act.OBJECT_OPENED]


@pytest.mark.clause("5.3.a")
def test_a_disclosure_inside_an_open_transaction_of_the_journal_is_refused():
    with transaction.atomic(using="journal"), pytest.raises(RuntimeError, match="durable"):
        record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
    assert selectors.waiting() == 0


@pytest.mark.clause("5.3.a")
def test_a_journal_that_does_not_answer_refuses_the_opening():
    with (
        mock.patch("headshotly.audit.services.outbox.insert", side_effect=OperationalError("gone")),
        pytest.raises(JournalUnavailable, match="nothing was opened"),
    ):
        record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
    assert selectors.waiting() == 0


@pytest.mark.clause("5.3.a")
def test_a_commit_that_happened_but_reported_failure_leaves_the_entry_and_still_refuses():
    journal = connections["journal"]
    journal.ensure_connection()
    commit = journal._commit

    def commit_then_fail():
        commit()
        raise OperationalError("the connection was lost")

    with mock.patch.object(journal, "_commit", commit_then_fail), pytest.raises(JournalUnavailable):
        record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
    assert selectors.waiting() == 1


def test_a_closed_connection_is_refused_in_plain_words_and_the_next_one_works():
    connections["journal"].ensure_connection()
    connections["journal"].connection.close()
    with pytest.raises(JournalUnavailable):
        record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
    connections["journal"].close()
    record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
    assert selectors.waiting() == 1


def test_both_outboxes_go_into_one_tree_in_batches(monkeypatch):
    monkeypatch.setattr(sequencing, "BATCH", 4)
    wanted = {record(actor=SYSTEM, act=Act.KEY_CREATED) for _ in range(9)}
    wanted |= {record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED) for _ in range(5)}
    assert [sequence_once() for _ in range(5)] == [8, 5, 1, 0, 0]
    assert set(ids()) == wanted
    assert len(ids()) == 14
    assert list(Entry.objects.order_by("index").values_list("index", flat=True)) == list(range(14))
    assert SignedHead.objects.count() == 3
    assert verify().witnessed == 3


def test_a_crash_before_the_commit_leaves_everything_waiting():
    wanted = [record(actor=SYSTEM, act=Act.KEY_CREATED), record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)]
    with (
        mock.patch.object(SignedHead.objects, "create", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        sequence_once()
    assert selectors.waiting() == 2
    assert ids() == []
    sequence_once()
    assert ids() == wanted
    assert verify().entries == 2


def test_a_crash_between_the_two_files_sequences_nothing_twice():
    wanted = [record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED) for _ in range(3)]
    left_behind = list(Disclosure.objects.using("journal").values())
    sequence_once()
    Disclosure.objects.using("journal").bulk_create(Disclosure(**row) for row in left_behind)
    wanted.append(record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED))
    sequence_once()
    assert ids() == wanted
    assert selectors.waiting() == 0
    assert verify().damaged == 0


def test_a_crash_before_the_witness_is_made_good_by_the_next_step(witness_folder):
    record(actor=SYSTEM, act=Act.KEY_CREATED)
    with (
        mock.patch.object(witnesses, "publish", side_effect=OSError("no route")),
        pytest.raises(OSError, match="no route"),
    ):
        sequence_once()
    assert not witness_folder.exists()
    sequence_once()
    assert len(list(witness_folder.iterdir())) == 1
    assert verify().witnessed == 1


def test_a_leftover_scratch_file_of_the_witness_is_no_head(witness_folder):
    witness_folder.mkdir()
    (witness_folder / ".00000000000000000001.note.1").write_text("half a no")
    record(actor=SYSTEM, act=Act.KEY_CREATED)
    sequence_once()
    assert verify().witnessed == 1


# What somebody with the database, but without the key of the outbox, can do to a row that still waits.
_EDITS = {
    "another leaf": ({"leaf": None}, "not as its writer left it"),
    "no leaf at all": ({"leaf": b"{}"}, "not as its writer left it"),
    "another tag": ({"tag": bytes(32)}, "not as its writer left it"),
    "another id": ({"entry_id": uuid.UUID(int=7)}, "not the entry's"),
    "other details": ({"sealed_details": b"swapped"}, "details of a waiting entry"),
}


@pytest.mark.clause("5.3.a")
@pytest.mark.parametrize("model", [PendingEntry, Disclosure])
@pytest.mark.parametrize("edit", _EDITS)
def test_a_row_edited_before_sequencing_is_found_kept_and_blocks_nothing(edit, model):
    changes, sentence = _EDITS[edit]
    write = record if model is PendingEntry else record_durably
    write(actor=SYSTEM, act=Act.OBJECT_OPENED, purpose="secret look", sealed_details=b"ciphertext")
    waiting = model.objects.get()
    if "leaf" in changes and changes["leaf"] is None:
        changes = {"leaf": bytes(waiting.leaf).replace(b"secret look", b"mere repair")}
    model.objects.filter(id=waiting.id).update(**changes)
    sound = write(actor=SYSTEM, act=Act.OBJECT_OPENED)
    sequence_once()
    [damaged] = DamagedEntry.objects.all()
    assert sentence in damaged.reason
    [notice, entry] = Entry.objects.order_by("index")
    assert notice.act == Act.ENTRY_DAMAGED
    assert bytes(damaged.digest).hex() in decode(bytes(notice.leaf)).purpose
    assert entry.entry_id == sound
    assert selectors.waiting() == 0
    assert verify().damaged == 1


@pytest.mark.clause("5.3.a")
def test_a_waiting_row_with_the_id_of_a_sequenced_entry_is_found():
    entry_id = record(actor=SYSTEM, act=Act.OBJECT_OPENED)
    sequence_once()
    with mock.patch("headshotly.audit.services.uuid4", return_value=entry_id):
        record(actor=SYSTEM, act=Act.KEY_CREATED)
    sequence_once()
    assert "id of another" in DamagedEntry.objects.get().reason
    assert verify().damaged == 1


def test_a_damaged_disclosure_is_told_of_once_even_when_a_crash_leaves_it():
    record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
    Disclosure.objects.update(tag=bytes(32))
    row = Disclosure.objects.values().get()
    sequence_once()
    Disclosure.objects.create(**row)
    sequence_once()
    assert Entry.objects.filter(act=Act.ENTRY_DAMAGED).count() == 1
    assert selectors.waiting() == 0


def test_a_subject_s_proofs_hold_and_are_read_at_once(django_assert_max_num_queries):
    subject = uuid.uuid4()
    for number in range(40):
        record(actor=SYSTEM, act=Act.OBJECT_OPENED, subject=subject if number % 3 else None)
    sequence_once()
    with django_assert_max_num_queries(4):
        document = selectors.proofs_of_subject(subject)
    assert len(document["entries"]) == 26
    assert verify_openings(document, verifier=keys.published_key()) == 26


def test_consistency_of_every_pair_of_heads(monkeypatch):
    monkeypatch.setattr(sequencing, "BATCH", 3)
    for _ in range(11):
        record(actor=SYSTEM, act=Act.OBJECT_OPENED)
    while sequence_once():
        pass
    roots = {head.size: head for head in map(_read, SignedHead.objects.order_by("size"))}
    for old, before in roots.items():
        for new, after in roots.items():
            if old <= new:
                path = selectors.consistency_proof(old, new)
                assert merkle.is_consistent(old, before.root, new, after.root, path)


def _read(head):
    return read(head.note, keys.public_key(), origin=keys.ORIGIN)


def test_a_fork_is_refused_by_the_witness(witness_folder):
    record(actor=SYSTEM, act=Act.KEY_CREATED)
    sequence_once()
    # An older backup comes back, without this entry; the journal grows another one in its place.
    Entry.objects.all().delete()
    SignedHead.objects.all().delete()
    sequencing.Subtree.objects.all().delete()
    record(actor=SYSTEM, act=Act.KEY_CREATED)
    with pytest.raises(JournalDamaged, match="forked: the witness holds another head over 1"):
        sequence_once()


def test_a_key_file_of_the_wrong_size_is_refused_and_not_replaced(settings, tmp_path):
    (tmp_path / "journal-key").write_bytes(b"short")
    record(actor=SYSTEM, act=Act.KEY_CREATED)
    with pytest.raises(JournalUnavailable, match="damaged"):
        sequence_once()
    assert (tmp_path / "journal-key").read_bytes() == b"short"
    assert selectors.waiting() == 1


def test_key_files_are_their_owner_s_only(tmp_path):
    record(actor=SYSTEM, act=Act.KEY_CREATED)
    sequence_once()
    for name in ("journal-key", "journal-outbox-key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
