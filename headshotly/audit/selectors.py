"""Reading the journal, and proving what was read."""

import base64
import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from headshotly.audit import keys, merkle
from headshotly.audit.acts import Act
from headshotly.audit.checkpoint import Checkpoint, read
from headshotly.audit.export import CONSISTENCY_FORMAT, OPENINGS_FORMAT
from headshotly.audit.leaf import Leaf, decode
from headshotly.audit.models import Disclosure, Entry, PendingEntry, SignedHead
from headshotly.audit.sequencing import stored_subtrees

_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Recorded:
    """One sequenced entry.

    Attributes:
        index: its place in the journal, from zero.
        leaf: what it says.
        raw: its canonical bytes.
    """

    index: int
    leaf: Leaf
    raw: bytes


def entries_of_subject(subject: UUID) -> list[Recorded]:
    """Return every sequenced entry about a data subject, oldest first."""
    return [
        Recorded(entry.index, decode(bytes(entry.leaf)), bytes(entry.leaf))
        for entry in Entry.objects.filter(subject=subject).order_by("index")
    ]


def newest_of_subject(subject: UUID, acts: Collection[Act], *, most: int) -> tuple[list[Recorded], int]:
    """Return the newest entries of some acts about a data subject, newest first, and how many there are.

    They are found by the columns beside them, which ``verification.verify`` holds against the entries.

    Args:
        subject: pseudonym.
        acts: which.
        most: how many at most.
    """
    found = Entry.objects.filter(subject=subject, act__in=[act.value for act in acts])
    rows = found.order_by("-index").values_list("index", "leaf")[:most]
    return [Recorded(index, decode(bytes(leaf)), bytes(leaf)) for index, leaf in rows], found.count()


def leaves_between(
    acts: Collection[Act], *, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> Iterator[Leaf]:
    """Yield the sequenced entries of some acts, oldest first.

    They are found by the columns beside them, which ``verification.verify`` holds against the entries.

    Args:
        acts: which; at least one.
        since: from when, aware UTC.
        until: until when, not included.

    Raises:
        ValueError: no act was named.
    """
    if not acts:
        raise ValueError("name at least one act")
    found = Entry.objects.filter(act__in=[act.value for act in acts])
    if since is not None:
        found = found.filter(occurred_at__gte=since)
    if until is not None:
        found = found.filter(occurred_at__lt=until)
    for raw in found.order_by("index").values_list("leaf", flat=True).iterator(chunk_size=_CHUNK):
        yield decode(bytes(raw))


def raw_entries(*, start: int, most: int) -> list[tuple[int, bytes]]:
    """Return index and canonical bytes of sequenced entries, oldest first.

    Args:
        start: index of the first.
        most: how many at most.
    """
    rows = Entry.objects.filter(index__gte=start).order_by("index").values_list("index", "leaf")[:most]
    return [(index, bytes(leaf)) for index, leaf in rows]


def waiting() -> int:
    """Return how many entries wait to be sequenced."""
    return PendingEntry.objects.count() + Disclosure.objects.using("journal").count()


def latest_head() -> str | None:
    """Return the newest signed head as a note, or None where nothing is signed yet."""
    head = SignedHead.objects.order_by("-size").first()
    return head.note if head else None


def proofs_of_subject(subject: UUID) -> dict[str, Any]:
    """Return a subject's entries with a proof for each, verifiable offline.

    Returns:
        ``checkpoint`` (signed note), ``verifier_key`` and ``entries``: index, leaf (base64), proof (base64 list).
    """
    return _proven([*entries_of_subject(subject)])


def entries_of_act(act: Act) -> list[Recorded]:
    """Return every sequenced entry of one kind of act, oldest first."""
    return [
        Recorded(entry.index, decode(bytes(entry.leaf)), bytes(entry.leaf))
        for entry in Entry.objects.filter(act=act.value).order_by("index")
    ]


def proofs_of_entries(indexes: Sequence[int]) -> dict[str, Any]:
    """Return several entries with a proof for each, in the same form as a subject's."""
    return _proven(
        [
            Recorded(entry.index, decode(bytes(entry.leaf)), bytes(entry.leaf))
            for entry in Entry.objects.filter(index__in=indexes).order_by("index")
        ]
    )


def proof_of_entry(index: int) -> dict[str, Any]:
    """Return one entry with its proof, in the same form as a subject's."""
    return proofs_of_entries([index])


def _proven(entries: Sequence[Recorded]) -> dict[str, Any]:
    head = SignedHead.objects.order_by("-size").first()
    size = head.size if head else 0
    covered = [entry for entry in entries if entry.index < size]
    proofs = inclusion_proofs([entry.index for entry in covered], size)
    return {
        "format": OPENINGS_FORMAT,
        "verifier_key": keys.published_key(),
        "checkpoint": head.note if head else "",
        "entries": [
            {
                "index": entry.index,
                "leaf": base64.b64encode(entry.raw).decode(),
                "proof": [base64.b64encode(hash_).decode() for hash_ in proofs[entry.index]],
            }
            for entry in covered
        ],
    }


def proof_of_consistency(old: int) -> dict[str, Any]:
    """Return the newest head with the proof that the first ``old`` entries are its beginning.

    Raises:
        ValueError: ``old`` is zero or larger than the journal.
    """
    head = SignedHead.objects.order_by("-size").first()
    path = consistency_proof(old, head.size if head else 0)
    return {
        "format": CONSISTENCY_FORMAT,
        "verifier_key": keys.published_key(),
        "checkpoint": head.note if head else "",
        "proof": [base64.b64encode(hash_).decode() for hash_ in path],
    }


def inclusion_proofs(indexes: Sequence[int], size: int) -> dict[int, list[merkle.Hash]]:
    """Return the audit path of each entry in the tree over the first ``size`` entries, with one read.

    Raises:
        ValueError: an entry is not within the tree.
        JournalDamaged: the stored tree lacks a node.
    """

    def build(lookup: merkle.Lookup) -> dict[int, list[merkle.Hash]]:
        return {index: merkle.inclusion_proof(index, size, lookup) for index in indexes}

    return build(stored_subtrees(merkle.places(build)).__getitem__)


def consistency_proof(old: int, new: int) -> list[merkle.Hash]:
    """Return the proof that the journal's first ``old`` entries are the beginning of its first ``new``.

    Raises:
        ValueError: ``old`` is zero or larger than ``new``.
        JournalDamaged: the stored tree lacks a node.
    """

    def build(lookup: merkle.Lookup) -> list[merkle.Hash]:
        return merkle.consistency_proof(old, new, lookup)

    return build(stored_subtrees(merkle.places(build)).__getitem__)


def latest_checkpoint() -> Checkpoint | None:
    """Return the newest signed head, its signature checked, or None where nothing is signed yet."""
    note = latest_head()
    return read(note, keys.public_key(), origin=keys.ORIGIN) if note else None


def last_signed_at() -> dt.datetime | None:
    """Return when the newest head was signed, or None where nothing is signed yet; its signature is not checked."""
    return SignedHead.objects.order_by("-size").values_list("signed_at", flat=True).first()


def leaves(size: int) -> Iterator[bytes]:
    """Yield the canonical bytes of the first ``size`` entries, in order."""
    for leaf in (
        Entry.objects.filter(index__lt=size).order_by("index").values_list("leaf", flat=True).iterator(chunk_size=2000)
    ):
        yield bytes(leaf)


def oldest_waiting() -> dt.datetime | None:
    """Return when the oldest entry that waits to be sequenced happened, or None where none waits."""
    firsts = (PendingEntry.objects.order_by("id").first(), Disclosure.objects.using("journal").order_by("id").first())
    return min((decode(bytes(row.leaf)).occurred_at for row in firsts if row is not None), default=None)


def front() -> tuple[int, int]:
    """Return the number of the first entry that waits in each outbox, nought where none does.

    Asks for numbers only, which is all that the web program may read there (``privileges``).
    """
    outboxes = (PendingEntry.objects, Disclosure.objects.using("journal"))
    first, second = (box.order_by("id").values_list("id", flat=True).first() or 0 for box in outboxes)
    return first, second


def is_written(warrant_id: UUID, *, object_id: UUID) -> bool:
    """Say whether an opening of an object under a warrant is in the journal or on its way there."""
    rows = Disclosure.objects.using("journal").order_by("-id")[:_NEWEST]
    waiting = [bytes(row.leaf) for row in rows]
    newest = Entry.objects.filter(act=Act.OBJECT_OPENED).order_by("-index")[:_NEWEST]
    leaves = map(decode, [*waiting, *(bytes(row.leaf) for row in newest)])
    return any(
        leaf.act is Act.OBJECT_OPENED and leaf.warrant_id == warrant_id and object_id in leaf.object_ids
        for leaf in leaves
    )


def ever(act: Act) -> bool:
    """Say whether an act was ever recorded, also where its entry still waits to be sequenced."""
    if Entry.objects.filter(act=act.value).exists():
        return True
    waiting = PendingEntry.objects.values_list("leaf", flat=True).iterator(chunk_size=_CHUNK)
    return any(decode(bytes(leaf)).act is act for leaf in waiting)


def leaves_of_acts(acts: Iterable[Act], *, newest: int | None = None) -> Iterator[Leaf]:
    """Yield the sequenced entries of some acts, the newest first.

    Args:
        acts: which acts.
        newest: how many at most; all where None.
    """
    rows = Entry.objects.filter(act__in=[act.value for act in acts]).order_by("-index").values_list("leaf", flat=True)
    for leaf in (rows[:newest] if newest is not None else rows).iterator(chunk_size=2000):
        yield decode(bytes(leaf))


_NEWEST = 1000
