"""Keys in the key store: added, unwrapped for a moment, wrapped anew (architecture.md, idea 2)."""

import threading
from collections import OrderedDict
from uuid import UUID

from headshotly.policy import clock
from headshotly.vault import wiring
from headshotly.vault.errors import KeyServiceUnavailable, StoreUnavailable
from headshotly.vault.keyservice import Context

CACHE_KEYS = 256
CACHE_SECONDS = 30.0


class _Cache:
    """Plaintext keys in memory: few of them, for a short time, each only for the very blob it came from."""

    def __init__(self) -> None:
        self._held: OrderedDict[UUID, tuple[float, bytes, bytes]] = OrderedDict()
        self._guard = threading.Lock()
        self._until = 0.0  # nothing that is held is over its time before

    def get(self, key_id: UUID, blob: bytes) -> bytes | None:
        with self._guard:
            self._expire()
            held = self._held.get(key_id)
            if held is None or held[1] != blob:
                return None
            self._held.move_to_end(key_id)
            return held[2]

    def put(self, key_id: UUID, blob: bytes, key: bytes) -> None:
        with self._guard:
            self._expire()
            now = clock.monotonic()
            self._until = self._until if self._held else now + CACHE_SECONDS
            self._held[key_id] = (now, blob, key)
            while len(self._held) > CACHE_KEYS:
                self._held.popitem(last=False)

    def drop(self, key_id: UUID | None) -> None:
        with self._guard:
            if key_id is None:
                self._held.clear()
            else:
                self._held.pop(key_id, None)

    def _expire(self) -> None:
        now = clock.monotonic()
        if now < self._until:
            return
        oldest = now - CACHE_SECONDS
        for key_id in [key_id for key_id, held in self._held.items() if held[0] <= oldest]:
            del self._held[key_id]
        self._until = min((held[0] for held in self._held.values()), default=now) + CACHE_SECONDS

    def __len__(self) -> int:
        with self._guard:
            self._expire()
            return len(self._held)


_cache = _Cache()


def add(key_id: UUID, key: bytes, context: Context) -> bool:
    """Wrap a new key and keep it, unless there is one under this id already; return whether it was added.

    A rotation may retire the root between wrapping and storing; then the key is wrapped again under the new one
    before anything is sealed with it. A crash in between leaves a key that nothing was sealed with.

    Raises:
        KeyServiceUnavailable: the key service did not wrap it.
        StoreUnavailable: it is not known to be kept.
    """
    service, store = wiring.key_service(), wiring.key_store()
    blob = service.wrap(key, context)
    if not store.add(key_id, blob):
        return False
    while service.root_of(blob) != service.current_root():
        fresh = service.wrap(key, context)
        if not store.replace(key_id, [blob], fresh):
            raise StoreUnavailable("The key was changed while it was made. Please try again.")
        blob = fresh
    return True


def plain(key_id: UUID, context: Context) -> bytes | None:
    """Return a key, or None where there is none.

    The key store is asked every time, so that a key destroyed by another process opens nothing here; only the
    unwrapping is remembered, for at most 30 seconds and 256 keys.

    Raises:
        KeyServiceUnavailable: the key service did not unwrap it.
        StoreUnavailable: the key store did not answer.
    """
    blob = wiring.key_store().get(key_id)
    if blob is None:
        flush(key_id)
        return None
    key = _cache.get(key_id, blob)
    if key is None:
        key = wiring.key_service().unwrap(blob, context)
        _cache.put(key_id, blob, key)
    return key


def change(key_id: UUID, key: bytes, context: Context) -> bool:
    """Put another key in the place of the present one; return False where somebody else changed it meanwhile."""
    service, store = wiring.key_service(), wiring.key_store()
    old = store.get(key_id)
    return old is not None and store.replace(key_id, [old], service.wrap(key, context))


def rewrap(key_id: UUID, context: Context) -> bool:
    """Wrap a key anew under the current root in every replica, unless it already is; return whether it had to be."""
    service, store = wiring.key_service(), wiring.key_store()
    current = service.current_root()
    seen = set(store.replicas(key_id).values())
    if all(service.root_of(blob) == current for blob in seen):
        return False
    held = store.get(key_id)
    if held is None:
        return False  # being removed
    fresh = held if service.root_of(held) == current else service.wrap(service.unwrap(held, context), context)
    if not store.replace(key_id, seen, fresh) and store.get(key_id) is not None:
        raise StoreUnavailable("A key was changed while it was wrapped anew; run the rotation again.")
    flush(key_id)
    return True


def destroy(key_id: UUID) -> None:
    """Destroy a key in every replica. From here on nothing sealed with it opens, whatever happens next."""
    flush(key_id)
    try:
        wiring.key_store().delete(key_id)
    finally:
        # A reader may have unwrapped it between the two lines above.
        flush(key_id)


def flush(key_id: UUID | None = None) -> None:
    """Forget one plaintext key, or all."""
    _cache.drop(key_id)


def remembered() -> int:
    """Return how many plaintext keys this process holds."""
    return len(_cache)


def opens(key_id: UUID, context: Context) -> bool:
    """Say whether the key service still unwraps a key."""
    try:
        return plain(key_id, context) is not None
    except KeyServiceUnavailable:
        return False
