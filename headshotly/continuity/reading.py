"""Reading blobs back, and never believing one whose bytes do not have its name."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from headshotly.continuity.contents import Blob
from headshotly.continuity.errors import BackupDamaged
from headshotly.continuity.stores import Store
from headshotly.vault.errors import ObjectMissing, StoreUnavailable


class Damaged(BackupDamaged):
    """A blob is missing or damaged in every store that answered."""


def is_whole(store: Store, blob: Blob) -> bool:
    """Say whether a store still holds a blob as it was written; reads all of it.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    digest, size = hashlib.sha256(), 0
    try:
        for piece in store.repository.read(blob.name):
            digest.update(piece)
            size += len(piece)
    except ObjectMissing:
        return False
    return size == blob.size and digest.digest() == blob.digest


def read_blob(stores: Iterable[Store], blob: Blob) -> bytes:
    """Return a blob's bytes from the first store that has it whole.

    Raises:
        Damaged: none has.
    """
    for store in stores:
        try:
            content = b"".join(store.repository.read(blob.name))
        except (ObjectMissing, StoreUnavailable):
            continue
        if len(content) == blob.size and hashlib.sha256(content).digest() == blob.digest:
            return content
    raise Damaged("A part of the backup is missing or damaged in every store that answered.")


def whole_pieces(stores: Sequence[Store], blob: Blob, *, in_memory: int) -> Iterator[bytes]:
    """Yield a blob's bytes from a store where they were just found whole.

    A small one is read once; a larger one is read twice, first to check it and then to give it out, and is checked
    again on the way, for bytes that rot in between.

    Raises:
        Damaged: no store has it whole.
    """
    if blob.size <= in_memory:
        yield read_blob(stores, blob)
        return
    for store in stores:
        try:
            whole = is_whole(store, blob)
        except StoreUnavailable:
            continue
        if whole:
            digest = hashlib.sha256()
            for piece in store.repository.read(blob.name):
                digest.update(piece)
                yield piece
            if digest.digest() != blob.digest:
                raise Damaged("A part of the backup changed while it was read.")
            return
    raise Damaged("A part of the backup is missing or damaged in every store that answered.")
