"""The Merkle tree of RFC 6962: hashes, roots and proofs, over stored complete subtrees.

A subtree of level L and index I covers leaves ``I * 2**L`` up to, not including, ``(I + 1) * 2**L``. Appending
writes each complete subtree once; roots and proofs of any size then need O(log n) of them.
"""

import hashlib
from collections.abc import Callable, Iterable

type Hash = bytes
type Subtree = tuple[int, int]
type Lookup = Callable[[Subtree], Hash]

EMPTY_ROOT: Hash = hashlib.sha256().digest()


def leaf_hash(leaf: bytes) -> Hash:
    """Return the 32-byte hash of a leaf (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    """Return the 32-byte hash of an inner node (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def covering(start: int, end: int) -> list[Subtree]:
    """Return the complete subtrees that cover leaves ``start`` to ``end``, from left to right."""
    parts: list[Subtree] = []
    while start < end:
        level = (start & -start).bit_length() - 1 if start else (end - start).bit_length() - 1
        while start + (1 << level) > end:
            level -= 1
        parts.append((level, start >> level))
        start += 1 << level
    return parts


def _range_hash(start: int, end: int, lookup: Lookup) -> Hash:
    """Return the RFC 6962 hash of leaves ``start`` to ``end``; ``start`` is aligned as the RFC's splits are."""
    *rest, last = (lookup(part) for part in covering(start, end))
    for left in reversed(rest):
        last = node_hash(left, last)
    return last


def _split(size: int) -> int:
    """Return the largest power of two smaller than ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, lookup: Lookup) -> list[Hash]:
    """Return the audit path of a leaf (RFC 6962, section 2.1.1), from the leaf upwards.

    Raises:
        ValueError: the leaf is not within the tree.
    """
    if not 0 <= index < size:
        raise ValueError(f"entry {index} is not among the first {size}")
    path: list[Hash] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, lookup))
            end = middle
        else:
            path.append(_range_hash(start, middle, lookup))
            start = middle
    return path[::-1]


def root_from_inclusion(leaf: Hash, index: int, size: int, path: list[Hash]) -> Hash:
    """Return the root that an audit path leads to; compare it with a signed one.

    Raises:
        ValueError: the path has the wrong length for this place.
    """
    if not 0 <= index < size:
        raise ValueError(f"entry {index} is not among the first {size}")
    steps: list[bool] = []  # True where the leaf lies to the right
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        steps.append(index >= middle)
        start, end = (middle, end) if index >= middle else (start, middle)
    if len(path) != len(steps):
        raise ValueError("the proof has the wrong length for this entry")
    current = leaf
    for sibling, right in zip(path, reversed(steps), strict=True):
        current = node_hash(sibling, current) if right else node_hash(current, sibling)
    return current


def consistency_proof(old: int, new: int, lookup: Lookup) -> list[Hash]:
    """Return the proof that the first ``old`` leaves are unchanged in ``new`` (RFC 6962, section 2.1.2).

    Raises:
        ValueError: ``old`` is zero or larger than ``new``.
    """
    if not 0 < old <= new:
        raise ValueError(f"a tree of {old} cannot be the beginning of a tree of {new}")
    path: list[Hash] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_hash(middle, end, lookup))
            end = middle
        else:
            path.append(_range_hash(start, middle, lookup))
            start, whole = middle, False
    if not whole:
        path.append(_range_hash(start, end, lookup))
    return path[::-1]


def is_consistent(old: int, old_root: Hash, new: int, new_root: Hash, path: list[Hash]) -> bool:
    """Say whether a consistency proof leads from the old root to the new one (RFC 9162, section 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return old_root == new_root and not path
    hashes = list(path)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    from_old = from_new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            from_old, from_new = node_hash(sibling, from_old), node_hash(sibling, from_new)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            from_new = node_hash(from_new, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and from_old == old_root and from_new == new_root


def places(build: Callable[[Lookup], object]) -> list[Subtree]:
    """Return which subtrees a root or proof will ask for, so that they can be fetched at once.

    Args:
        build: makes the root or proof from a lookup; which hashes it is given must not change what it asks for.
    """
    asked: list[Subtree] = []

    def note(place: Subtree) -> Hash:
        asked.append(place)
        return EMPTY_ROOT

    build(note)
    return asked


class Frontier:
    """Rebuilds a tree leaf by leaf, keeping only the complete subtrees its root needs.

    Args:
        size: leaves that are in already.
        subtrees: hashes of ``covering(0, size)``, from left to right.
    """

    def __init__(self, size: int = 0, subtrees: Iterable[Hash] = ()) -> None:
        self.size = size
        self._complete = list(subtrees)

    def add(self, leaf: Hash) -> list[tuple[Subtree, Hash]]:
        """Add a leaf hash and return the subtrees that it completes, smallest first."""
        level, position, current = 0, self.size, leaf
        done = [((level, position), current)]
        while position & 1:
            level, position = level + 1, position >> 1
            current = node_hash(self._complete.pop(), current)
            done.append(((level, position), current))
        self._complete.append(current)
        self.size += 1
        return done

    @property
    def root(self) -> Hash:
        """Return the 32-byte root over the leaves so far."""
        if not self._complete:
            return EMPTY_ROOT
        *rest, last = self._complete
        for left in reversed(rest):
            last = node_hash(left, last)
        return last
