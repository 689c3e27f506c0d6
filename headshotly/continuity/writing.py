"""Writing into one store: what it has already is not written again, and what is written is read back."""

import datetime as dt
import hashlib
import threading
from collections.abc import Buffer, Callable, Iterable, Iterator

from headshotly.continuity import manifest, wrappings
from headshotly.continuity.contents import Blob
from headshotly.continuity.reading import is_whole
from headshotly.continuity.sealing import RepositoryKey
from headshotly.continuity.stores import Store
from headshotly.policy.enforcement import enforces
from headshotly.vault.errors import StoreUnavailable
from headshotly.vault.keyservice import KeyService

type Pieces = Callable[[], Iterable[Buffer]]


class Placing:
    """One store during one backup.

    A store that fails once is left alone for the rest of the run; ``lost`` says why. Used by several threads.
    """

    def __init__(self, store: Store, *, trusted: set[bytes], until: dt.datetime) -> None:
        """Look at what the store holds.

        Args:
            store: where to write.
            trusted: digests that were read back when an earlier backup wrote them.
            until: what is written is locked at least so long, where the store locks.
        """
        self.store, self._trusted, self._until = store, trusted, until
        self.lost = ""
        self.written = 0
        self._guard = threading.Lock()
        self._held: dict[str, int] = {}
        with self._failing():
            self._held = {one.name: one.size for one in store.repository.kept("blobs/")}

    def _failing(self) -> "_Failing":
        return _Failing(self)

    def ensure(self, blob: Blob, pieces: Pieces) -> None:
        """Have a blob in the store: look, write if need be, read back.

        A crash leaves blobs that no manifest names; the next backup finds and reads them, and pruning removes the rest.
        """
        if self.lost:
            return
        with self._failing():
            if self._held.get(blob.name) == blob.size and (blob.digest in self._trusted or is_whole(self.store, blob)):
                return
            self._write(blob.name, blob.digest, pieces)
            with self._guard:
                self._held[blob.name] = blob.size

    def hold(self, blob: Blob) -> None:
        """Move the end of a blob's lock."""
        if not self.lost and self.store.repository.locks:
            with self._failing():
                self.store.repository.hold(blob.name, self._until)

    def lacks(self, blob: Blob) -> bool:
        """Say whether a blob an earlier backup wrote is gone, or has another size."""
        return self._held.get(blob.name) != blob.size

    @enforces("6.1.a")
    def _write(self, name: str, digest: bytes, pieces: Pieces) -> None:
        written = self.store.repository.put(name, pieces(), until=self._until)
        found = hashlib.sha256()
        for piece in self.store.repository.read(name):
            found.update(piece)
        if found.digest() != digest:
            raise StoreUnavailable(f"The store {self.store.region} gives back other bytes than it was given.")
        with self._guard:
            self.written += written

    def keep_key(self, service: KeyService, key: RepositoryKey) -> None:
        """Have the wrapping of the repository's secret in the store."""
        if not self.lost:
            with self._failing():
                wrappings.put(self.store, service, key, until=self._until)

    def finish(self, name: str, signed: bytes) -> None:
        """Write the manifest: from here on the backup counts in this store."""
        if not name.startswith(manifest.PREFIX):
            raise ValueError("only a manifest finishes a backup")
        if not self.lost:
            with self._failing():
                self._write(name, hashlib.sha256(signed).digest(), lambda: iter([signed]))


class _Failing:
    """Turns a store's failure into the reason why it is left alone."""

    def __init__(self, placing: Placing) -> None:
        self._placing = placing

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, StoreUnavailable):
            self._placing.lost = self._placing.lost or error.sentence
            return True
        return False


def pieces_of(content: bytes) -> Pieces:
    """Return what gives content that is in memory."""

    def pieces() -> Iterator[bytes]:
        yield content

    return pieces
