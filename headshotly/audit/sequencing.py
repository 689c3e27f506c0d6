"""The one sequencer: moves entries from both outboxes into the tree and signs its head.

Rows are moved, not followed by a cursor: a cursor misses whatever commits late with a low id.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from headshotly.audit import keys, merkle, witnesses
from headshotly.audit.checkpoint import Checkpoint, sign
from headshotly.audit.leaf import decode
from headshotly.audit.models import Disclosure, Entry, PendingEntry, SignedHead, Subtree
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

BATCH = 1000
_ADVISORY_LOCK = 0x4A4F55524E414C  # "JOURNAL": one sequencer at a time on PostgreSQL


@dataclass(frozen=True, slots=True)
class _Waiting:
    entry_id: UUID
    leaf: bytes
    sealed_details: bytes


def stored_subtree(place: merkle.Subtree) -> merkle.Hash:
    """Return the stored hash of a complete subtree.

    Raises:
        Subtree.DoesNotExist: the tree is damaged or smaller than asked for.
    """
    level, position = place
    return bytes(Subtree.objects.values_list("hash", flat=True).get(level=level, position=position))


def size() -> int:
    """Return how many entries are sequenced."""
    last = Entry.objects.order_by("-index").values_list("index", flat=True).first()
    return 0 if last is None else last + 1


@enforces("5.3.a")
def sequence_once() -> int:
    """Move one batch of waiting entries into the tree and sign the new head.

    A crash before the commit leaves everything waiting. A crash after it, before the disclosures are removed,
    leaves rows that are already sequenced; their ids say so and the next step removes them. A crash before the
    witness is written leaves a head that the next step writes again.

    Returns:
        How many entries were sequenced.
    """
    disclosures = list(Disclosure.objects.using("journal").order_by("id")[:BATCH])
    with transaction.atomic():
        _be_alone()
        waiting = [*_take_pending(), *_new_ones(disclosures)]
        first = size()
        if waiting:
            _append(first, waiting)
        head = _sign_head(first + len(waiting))
    Disclosure.objects.using("journal").filter(id__in=[row.id for row in disclosures]).delete()
    if head is not None:
        witnesses.publish(head)
    return len(waiting)


def _be_alone() -> None:
    """Wait until no other sequencer is in its transaction; on SQLite every writing transaction already is alone."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])


def _take_pending() -> Iterable[_Waiting]:
    """Remove up to a batch of rows from the outbox and return them, oldest first."""
    lock = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    table = PendingEntry._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT %s {lock}) "  # noqa: S608 - constants only # nosec B608
            "RETURNING id, entry_id, leaf, sealed_details",
            [BATCH],
        )
        rows = sorted(cursor.fetchall())
    return [
        _Waiting(entry_id if isinstance(entry_id, UUID) else UUID(entry_id), bytes(leaf), bytes(details))
        for _, entry_id, leaf, details in rows
    ]


def _new_ones(disclosures: Sequence[Disclosure]) -> Iterable[_Waiting]:
    ids = [row.entry_id for row in disclosures]
    known = set(Entry.objects.filter(entry_id__in=ids).values_list("entry_id", flat=True))
    return [
        _Waiting(row.entry_id, bytes(row.leaf), bytes(row.sealed_details))
        for row in disclosures
        if row.entry_id not in known
    ]


def _append(first: int, waiting: Sequence[_Waiting]) -> None:
    hashes = [merkle.leaf_hash(row.leaf) for row in waiting]
    entries = []
    for index, (row, hash_) in enumerate(zip(waiting, hashes, strict=True), start=first):
        leaf = decode(row.leaf)
        entries.append(
            Entry(
                index=index,
                entry_id=row.entry_id,
                leaf=row.leaf,
                leaf_hash=hash_,
                sealed_details=row.sealed_details,
                subject=leaf.subject,
                act=leaf.act.value,
                occurred_at=leaf.occurred_at,
            )
        )
    Entry.objects.bulk_create(entries, batch_size=500)
    Subtree.objects.bulk_create(
        (
            Subtree(level=level, position=position, hash=hash_)
            for (level, position), hash_ in merkle.append(first, hashes, stored_subtree)
        ),
        batch_size=500,
    )


def _sign_head(entries: int) -> SignedHead | None:
    """Sign the head over all entries, or return the last one where nothing is new."""
    last = SignedHead.objects.order_by("-size").first()
    if entries == 0 or (last is not None and last.size == entries):
        return last
    checkpoint = Checkpoint(keys.ORIGIN, entries, merkle.root(entries, stored_subtree))
    return SignedHead.objects.create(size=entries, note=sign(checkpoint, keys.signing_key()), signed_at=clock.now())
