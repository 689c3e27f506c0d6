"""Rebuilding the tree from its leaves and holding it against signed heads. Knows no database."""

from collections.abc import Iterable, Iterator

from headshotly.audit import merkle
from headshotly.audit.checkpoint import Checkpoint
from headshotly.audit.errors import JournalDamaged
from headshotly.policy.enforcement import enforces


@enforces("5.3.a")
def refuse_forks(checkpoints: Iterable[Checkpoint]) -> None:
    """Refuse two signed heads of one size with two roots: proof of a fork, whichever of them is true.

    Raises:
        JournalDamaged: names the size at which they part.
    """
    roots: dict[int, bytes] = {}
    for checkpoint in checkpoints:
        if roots.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            raise JournalDamaged(f"The journal was forked: two signed heads over {checkpoint.size} entries disagree.")


@enforces("5.3.a")
def verify_leaves(
    leaves: Iterable[bytes], checkpoints: Iterable[Checkpoint], *, frontier: merkle.Frontier | None = None
) -> merkle.Frontier:
    """Check that leaves, in order, lead to the root of each checkpoint.

    Args:
        leaves: canonical bytes of the entries.
        checkpoints: signed heads; those smaller than the frontier's start are not looked at.
        frontier: a tree to go on from; an empty one where none is given.

    Returns:
        The rebuilt tree.

    Raises:
        JournalDamaged: names the first checkpoint that does not match.
    """
    for _ in replay(leaves, checkpoints, frontier := frontier or merkle.Frontier()):
        pass
    return frontier


def replay(
    leaves: Iterable[bytes], checkpoints: Iterable[Checkpoint], frontier: merkle.Frontier
) -> Iterator[tuple[merkle.Subtree, merkle.Hash]]:
    """Do what ``verify_leaves`` does, and yield each complete subtree on the way."""
    wanted = sorted((head for head in checkpoints if head.size >= frontier.size), key=lambda head: head.size)
    heads = iter(wanted)
    head = _matching(frontier, next(heads, None), heads)
    for leaf in leaves:
        yield from frontier.add(merkle.leaf_hash(leaf))
        if head is not None and head.size == frontier.size:
            head = _matching(frontier, head, heads)
    if head is not None:
        raise JournalDamaged(
            f"The journal was cut short: a signed head covers {wanted[-1].size} entries, "
            f"but only {frontier.size} are there."
        )


def _matching(frontier: merkle.Frontier, head: Checkpoint | None, later: Iterator[Checkpoint]) -> Checkpoint | None:
    """Hold the tree against every head of its size and return the first larger one."""
    while head is not None and head.size == frontier.size:
        if head.root != frontier.root:
            raise JournalDamaged(
                f"The first {head.size} entries are not the ones that were signed: "
                "an entry was changed, removed, added or moved."
            )
        head = next(later, None)
    return head
