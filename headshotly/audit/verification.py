"""Checking the journal against its own signed heads and against the witness's."""

from collections.abc import Iterator
from dataclasses import dataclass

from headshotly.audit import keys, merkle
from headshotly.audit.acts import Act
from headshotly.audit.checkpoint import Checkpoint, read
from headshotly.audit.errors import JournalDamaged
from headshotly.audit.leaf import Leaf, decode, sha256_hex
from headshotly.audit.models import Entry, SignedHead, Subtree
from headshotly.audit.replay import refuse_forks, replay
from headshotly.audit.sequencing import frontier
from headshotly.audit.witnesses import current_era, witness
from headshotly.policy.enforcement import enforces

_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found to hold.

    Attributes:
        entries: how many entries the journal has.
        recomputed: how many of them were recomputed; fewer only when a checkpoint vouched for the first ones.
        heads: how many signed heads were matched.
        witnessed: how many heads of the witness were matched.
        damaged: how many waiting entries were found changed before they were sequenced, ever.
    """

    entries: int
    recomputed: int
    heads: int
    witnessed: int
    damaged: int


def _checked_entries(first: int) -> Iterator[bytes]:
    """Yield each leaf from ``first`` on, in order, after checking the row that carries it."""
    for expected, entry in enumerate(
        Entry.objects.filter(index__gte=first).order_by("index").iterator(chunk_size=_CHUNK), start=first
    ):
        if entry.index != expected:
            raise JournalDamaged(f"Entry {expected} is missing from the journal.")
        _check_row(entry, decode(bytes(entry.leaf)))
        yield bytes(entry.leaf)


def _check_row(entry: Entry, leaf: Leaf) -> None:
    beside = (entry.entry_id, entry.subject, entry.act, entry.occurred_at)
    if beside != (leaf.entry_id, leaf.subject, leaf.act.value, leaf.occurred_at):
        raise JournalDamaged(f"The columns beside entry {entry.index} do not say what the entry says.")
    if bytes(entry.leaf_hash) != merkle.leaf_hash(bytes(entry.leaf)):
        raise JournalDamaged(f"Entry {entry.index} does not match its own hash.")
    if sha256_hex(bytes(entry.sealed_details)) != leaf.details_sha256:
        raise JournalDamaged(f"The sealed details of entry {entry.index} were replaced.")


class _StoredTree:
    """Reads the stored subtrees of every level beside a rebuild, each level in one pass."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._levels: dict[int, Iterator[tuple[int, bytes | memoryview]]] = {}

    def _level(self, level: int) -> Iterator[tuple[int, bytes | memoryview]]:
        if level not in self._levels:
            self._levels[level] = (
                Subtree.objects.filter(level=level, position__gte=self._first >> level)
                .order_by("position")
                .values_list("position", "hash")
                .iterator(chunk_size=max(2, _CHUNK >> level))
            )
        return self._levels[level]

    def check(self, place: merkle.Subtree, hash_: merkle.Hash) -> None:
        """Hold the next stored node of a level against the rebuilt one."""
        level, position = place
        stored_position, stored = next(self._level(level), (-1, b""))
        if stored_position != position:
            raise JournalDamaged(f"The stored tree lacks its node {position} on level {level}.")
        if bytes(stored) != hash_:
            raise JournalDamaged(f"The stored tree was changed at node {position} on level {level}.")


def _heads() -> tuple[list[Checkpoint], list[Checkpoint]]:
    """Return the signed heads of the database and of the witness, none forged, forked or missing here."""
    public_key = keys.public_key()
    heads = [read(head.note, public_key, origin=keys.ORIGIN) for head in SignedHead.objects.order_by("size")]
    witnessed = [read(note, public_key, origin=keys.ORIGIN) for note in witness().notes()]
    refuse_forks([*witnessed, *heads])
    return heads, witnessed


@enforces("5.3.a")
def verify(since: Checkpoint | None = None) -> Verified:
    """Recompute the journal and hold it against every signed head, here and at the witness.

    Args:
        since: a checkpoint somebody kept; what it covers is held against its root, and only the rest is recomputed.

    Raises:
        JournalDamaged: says what is wrong and where, in a sentence.
    """
    heads, witnessed = _heads()
    _require_era_explained()
    tree = merkle.Frontier()
    if since is not None:
        if since.size > (last := Entry.objects.count()):
            raise JournalDamaged(
                f"The journal was cut short: the checkpoint covers {since.size} entries, but only {last} are there."
            )
        tree = frontier(since.size)
        if tree.root != since.root:
            raise JournalDamaged(f"The first {since.size} entries are not the ones the checkpoint was signed over.")
    stored, first = _StoredTree(tree.size), tree.size
    for place, hash_ in replay(_checked_entries(first), [*heads, *witnessed], tree):
        stored.check(place, hash_)
    _require_head_over(tree)
    _require_kept(heads, witnessed)
    return Verified(
        entries=tree.size,
        recomputed=tree.size - first,
        heads=len(heads),
        witnessed=len(witnessed),
        damaged=Entry.objects.filter(act=Act.ENTRY_DAMAGED).count(),
    )


def _require_era_explained() -> None:
    """A witness that began anew is believed only where the journal itself says after which restore."""
    era = current_era()
    if not era:
        return
    told = Entry.objects.filter(act=Act.SYSTEM_RESTORED).values_list("leaf", flat=True)
    if not any(f"era {era}" in decode(bytes(leaf)).purpose for leaf in told):
        raise JournalDamaged("The witness began anew, and no restore in the journal says why.")


def holds(checkpoint: Checkpoint) -> bool:
    """Say whether the journal begins with what a checkpoint covers; ``verify`` vouches for the stored tree."""
    if checkpoint.size > Entry.objects.count():
        return False
    return checkpoint.size == 0 or frontier(checkpoint.size).root == checkpoint.root


def _require_head_over(tree: merkle.Frontier) -> None:
    """Entries and the head over them are committed together, so the last entry is always under a signed head."""
    if tree.size == 0:
        return
    last = SignedHead.objects.filter(size=tree.size).first()
    if last is None:
        raise JournalDamaged("Entries were added behind the last signed head.")
    # Signed while we were reading, perhaps: then nobody has held it against the entries yet.
    if read(last.note, keys.public_key(), origin=keys.ORIGIN).root != tree.root:
        raise JournalDamaged(f"The first {tree.size} entries are not the ones that were signed.")


def _require_kept(heads: list[Checkpoint], witnessed: list[Checkpoint]) -> None:
    sizes = {head.size for head in heads}
    for head in witnessed:
        # A head reaches the witness only after its commit, so one that came since we read is the only excuse.
        if head.size not in sizes and not SignedHead.objects.filter(size=head.size).exists():
            raise JournalDamaged(f"The signed head over {head.size} entries was removed; the witness still has it.")
