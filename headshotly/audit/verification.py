"""Checking the journal against its own signed heads and against the witness's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headshotly.audit import keys, merkle
from headshotly.audit.checkpoint import Checkpoint, read
from headshotly.audit.errors import JournalDamaged
from headshotly.audit.leaf import Leaf, decode, sha256_hex
from headshotly.audit.models import Entry, SignedHead
from headshotly.audit.witnesses import witness


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found to hold.

    Attributes:
        entries: how many entries were recomputed.
        heads: how many signed heads were matched.
        witnessed: how many heads of the witness were matched.
    """

    entries: int
    heads: int
    witnessed: int


class _Roots:
    """Rebuilds the tree leaf by leaf and remembers the root at the sizes asked for."""

    def __init__(self, sizes: Iterable[int]) -> None:
        self.wanted = set(sizes)
        self.found: dict[int, bytes] = {0: merkle.EMPTY_ROOT} if 0 in self.wanted else {}
        self.size = 0
        self._complete: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        current, position = merkle.leaf_hash(leaf), self.size
        while position & 1:
            current, position = merkle.node_hash(self._complete.pop(), current), position >> 1
        self._complete.append(current)
        self.size += 1
        if self.size in self.wanted:
            *rest, root = self._complete
            for left in reversed(rest):
                root = merkle.node_hash(left, root)
            self.found[self.size] = root


def verify_leaves(leaves: Iterable[bytes], checkpoints: Iterable[Checkpoint]) -> int:
    """Check that leaves, in order, lead to the root of each checkpoint.

    Returns:
        How many leaves there were.

    Raises:
        JournalDamaged: names the first checkpoint that does not match.
    """
    wanted = sorted(checkpoints, key=lambda checkpoint: checkpoint.size)
    roots = _Roots(checkpoint.size for checkpoint in wanted)
    for leaf in leaves:
        roots.add(leaf)
    for checkpoint in wanted:
        if checkpoint.size > roots.size:
            raise JournalDamaged(
                f"The journal was cut short: a signed head covers {checkpoint.size} entries, "
                f"but only {roots.size} are there."
            )
        if roots.found[checkpoint.size] != checkpoint.root:
            raise JournalDamaged(
                f"The first {checkpoint.size} entries are not the ones that were signed: "
                "an entry was changed, removed, added or moved."
            )
    return roots.size


def _checked_entries() -> Iterator[bytes]:
    """Yield each leaf in order, after checking the row that carries it."""
    for expected, entry in enumerate(Entry.objects.order_by("index").iterator(chunk_size=2000)):
        if entry.index != expected:
            raise JournalDamaged(f"Entry {expected} is missing from the journal.")
        leaf = bytes(entry.leaf)
        _check_row(entry, decode(leaf))
        yield leaf


def _check_row(entry: Entry, leaf: Leaf) -> None:
    beside = (entry.entry_id, entry.subject, entry.act, entry.occurred_at)
    if beside != (leaf.entry_id, leaf.subject, leaf.act.value, leaf.occurred_at):
        raise JournalDamaged(f"The columns beside entry {entry.index} do not say what the entry says.")
    if bytes(entry.leaf_hash) != merkle.leaf_hash(bytes(entry.leaf)):
        raise JournalDamaged(f"Entry {entry.index} does not match its own hash.")
    if sha256_hex(bytes(entry.sealed_details)) != leaf.details_sha256:
        raise JournalDamaged(f"The sealed details of entry {entry.index} were replaced.")


def verify() -> Verified:
    """Recompute the whole journal and hold it against every signed head, here and at the witness.

    Raises:
        JournalDamaged: says what is wrong and where, in a sentence.
    """
    public_key = keys.public_key()
    heads = [read(head.note, public_key) for head in SignedHead.objects.order_by("size")]
    witnessed = [read(note, public_key) for note in witness().notes()]
    _refuse_forks(heads, witnessed)
    entries = verify_leaves(_checked_entries(), [*heads, *witnessed])
    if entries and not heads:
        raise JournalDamaged("The journal has entries but no signed head.")
    return Verified(entries=entries, heads=len(heads), witnessed=len(witnessed))


def _refuse_forks(heads: list[Checkpoint], witnessed: list[Checkpoint]) -> None:
    """Two signed heads of one size with two roots are proof of a fork, whichever of them is true."""
    roots: dict[int, bytes] = {}
    for checkpoint in [*witnessed, *heads]:
        if roots.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            raise JournalDamaged(f"The journal was forked: two signed heads over {checkpoint.size} entries disagree.")
