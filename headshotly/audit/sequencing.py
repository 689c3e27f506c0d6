"""The one sequencer: moves entries from both outboxes into the tree and signs its head.

Rows are moved, not followed by a cursor: a cursor misses whatever commits late with a low id.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db import DEFAULT_DB_ALIAS, connection, transaction

from headshotly.audit import keys, merkle, outbox, witnesses
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act, Outcome
from headshotly.audit.checkpoint import Checkpoint, sign
from headshotly.audit.errors import JournalDamaged
from headshotly.audit.leaf import Leaf, decode, sha256_hex
from headshotly.audit.models import DamagedEntry, Disclosure, Entry, PendingEntry, SignedHead, Subtree
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.policy.inserting import Insert

BATCH = 1000
PAUSE = 0.3  # seconds between two steps that were not full: few heads a second, and none later than one
NICENESS = 5  # of the process that sequences: nobody waits for it, and writers should not wait behind it
_ADVISORY_LOCK = 0x4A4F55524E414C  # "JOURNAL": one sequencer at a time on PostgreSQL
_PLACES_AT_ONCE = 400
_ENTRIES = Insert(Entry, "index", "entry_id", "leaf", "leaf_hash", "sealed_details", "subject", "act", "occurred_at")
_SUBTREES = Insert(Subtree, "level", "position", "hash")


@dataclass(frozen=True, slots=True)
class _Waiting:
    entry_id: UUID
    leaf: bytes
    sealed_details: bytes
    tag: bytes

    @property
    def digest(self) -> bytes:
        """Return 32 bytes that tell this row from every other, damaged or not."""
        parts = (self.entry_id.bytes, self.leaf, self.sealed_details, self.tag)
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def stored_subtrees(places: Iterable[merkle.Subtree]) -> dict[merkle.Subtree, merkle.Hash]:
    """Return the stored hashes of complete subtrees, fetched together.

    Raises:
        JournalDamaged: one is missing; the stored tree is damaged or smaller than asked for.
    """
    wanted = sorted(set(places))
    found: dict[merkle.Subtree, merkle.Hash] = {}
    table = Subtree._meta.db_table
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), _PLACES_AT_ONCE):
            chunk = wanted[start : start + _PLACES_AT_ONCE]
            values = ", ".join(["(%s, %s)"] * len(chunk))
            cursor.execute(  # nosemgrep: query-made-of-words
                # Not “IN (VALUES …)”: SQLite reads the whole tree for that. Both databases name these columns so.
                f"SELECT level, position, hash FROM (VALUES {values}) AS wanted "  # noqa: S608 - constants only # nosec B608
                f"JOIN {table} ON level = wanted.column1 AND position = wanted.column2",
                [number for place in chunk for number in place],
            )
            found.update({(level, position): bytes(hash_) for level, position, hash_ in cursor.fetchall()})
    for level, position in wanted:
        if (level, position) not in found:
            raise JournalDamaged(f"The stored tree lacks its node {position} on level {level}.")
    return found


def frontier(size: int) -> merkle.Frontier:
    """Return the stored tree over the first ``size`` entries, ready to be gone on from."""
    places = merkle.covering(0, size)
    stored = stored_subtrees(places)
    return merkle.Frontier(size, [stored[place] for place in places])


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
        How many entries were taken out of the outboxes.
    """
    disclosures = list(Disclosure.objects.using("journal").order_by("id")[:BATCH])
    moved = 0
    if disclosures or PendingEntry.objects.exists():
        with transaction.atomic():
            _be_alone()
            taken = [*_take_pending(), *map(_from_disclosure, disclosures)]
            _append(_sound(taken))
        # Only what was read above goes; what was committed since waits for the next step.
        with outbox.turn():
            Disclosure.objects.using("journal").filter(id__in=[row.id for row in disclosures]).delete()
        moved = len(taken)
    head = SignedHead.objects.order_by("-size").first()
    if head is not None:
        witnesses.publish(head)
    return moved


def _be_alone() -> None:
    """Wait until no other sequencer is in its transaction; on SQLite every writing transaction already is alone."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])


def _take_pending() -> list[_Waiting]:
    """Remove up to a batch of rows from the outbox and return them, oldest first."""
    lock = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    table = PendingEntry._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT %s {lock}) "  # noqa: S608 - constants only # nosec B608
            "RETURNING id, entry_id, leaf, sealed_details, tag",
            [BATCH],
        )
        rows = sorted(cursor.fetchall(), key=lambda row: int(row[0]))
    return [
        _Waiting(entry_id if isinstance(entry_id, UUID) else UUID(entry_id), bytes(leaf), bytes(details), bytes(tag))
        for _, entry_id, leaf, details, tag in rows
    ]


def _from_disclosure(row: Disclosure) -> _Waiting:
    return _Waiting(row.entry_id, bytes(row.leaf), bytes(row.sealed_details), bytes(row.tag))


def _sound(taken: Sequence[_Waiting]) -> list[tuple[_Waiting, Leaf]]:
    """Return the rows to sequence: each once, and for a damaged one the entry that says so."""
    known = {
        entry_id: bytes(leaf)
        for entry_id, leaf in Entry.objects.filter(entry_id__in=[row.entry_id for row in taken]).values_list(
            "entry_id", "leaf"
        )
    }
    sound: list[tuple[_Waiting, Leaf]] = []
    for row in taken:
        if known.get(row.entry_id) == row.leaf:
            continue  # a crash left it behind after it had been sequenced
        try:
            leaf = _checked(row, taken_id=row.entry_id in known)
        except JournalDamaged as damage:
            sound.extend(_set_aside(row, damage.sentence))
            continue
        known[row.entry_id] = row.leaf
        sound.append((row, leaf))
    return sound


def _checked(row: _Waiting, *, taken_id: bool) -> Leaf:
    if not hmac.compare_digest(row.tag, keys.outbox_tag(row.leaf)):
        raise JournalDamaged("A waiting entry was not as its writer left it.")
    leaf = decode(row.leaf)
    if leaf.entry_id != row.entry_id:
        raise JournalDamaged("The id beside a waiting entry is not the entry's.")
    if sha256_hex(row.sealed_details) != leaf.details_sha256:
        raise JournalDamaged("The sealed details of a waiting entry were replaced.")
    if taken_id:
        raise JournalDamaged("A waiting entry has the id of another.")
    return leaf


def _set_aside(row: _Waiting, reason: str) -> list[tuple[_Waiting, Leaf]]:
    """Keep a damaged row where it blocks nothing, and return the entry that tells of it for ever."""
    _, fresh = DamagedEntry.objects.get_or_create(
        digest=row.digest,
        defaults={
            "reason": reason,
            "entry_id": row.entry_id,
            "leaf": row.leaf,
            "sealed_details": row.sealed_details,
            "found_at": clock.now(),
        },
    )
    if not fresh:
        return []
    notice = Leaf(
        entry_id=uuid4(),
        occurred_at=clock.now(),
        actor=SYSTEM,
        act=Act.ENTRY_DAMAGED,
        outcome=Outcome.FAILED,
        purpose=f"{reason} sha256:{row.digest.hex()}",
    )
    return [(_Waiting(notice.entry_id, notice.encode(), b"", b""), notice)]


def _append(rows: Sequence[tuple[_Waiting, Leaf]]) -> None:
    """Write entries, the subtrees they complete, and the signed head over all of them."""
    if not rows:
        return
    first = size()
    tree = frontier(first)
    entries: list[tuple[Any, ...]] = []
    subtrees: list[tuple[int, int, merkle.Hash]] = []
    for index, (row, leaf) in enumerate(rows, start=first):
        hash_ = merkle.leaf_hash(row.leaf)
        entries.append(
            (index, row.entry_id, row.leaf, hash_, row.sealed_details, leaf.subject, leaf.act.value, leaf.occurred_at)
        )
        subtrees.extend((level, position, node) for (level, position), node in tree.add(hash_))
    _ENTRIES.write(entries, alias=DEFAULT_DB_ALIAS)
    _SUBTREES.write(subtrees, alias=DEFAULT_DB_ALIAS)
    checkpoint = Checkpoint(keys.ORIGIN, tree.size, tree.root)
    SignedHead.objects.create(size=tree.size, note=sign(checkpoint, keys.signing_key()), signed_at=clock.now())
