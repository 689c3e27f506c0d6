"""Customer keys: made, held for a moment, destroyed (architecture.md, idea 2)."""

import os
import threading
from collections import OrderedDict
from uuid import UUID

from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vault import wiring
from headshotly.vault.errors import KeyShredded

_CACHE_KEYS = 256
_CACHE_SECONDS = 30.0
_cache: OrderedDict[UUID, tuple[float, bytes, bytes]] = OrderedDict()
_lock = threading.Lock()


def _context(subject: UUID) -> dict[str, str]:
    return {"subject": str(subject), "use": "customer-key"}


def create(subject: UUID) -> None:
    """Make the customer key and keep it, wrapped, in the key store."""
    key = os.urandom(32)
    wiring.key_store().put(subject, wiring.key_service().wrap(key, _context(subject)))


@enforces("3.2.b")
def plain(subject: UUID) -> bytes:
    """Return the customer key (32 bytes).

    The key store is asked every time, so that a key shredded by another process opens nothing here; only the
    unwrapping is cached, for at most 30 seconds and 256 keys.

    Raises:
        KeyShredded: there is no key, so nothing of this customer can be opened.
        KeyServiceUnavailable: the key service did not unwrap it.
    """
    blob = wiring.key_store().get(subject)
    if blob is None:
        flush(subject)
        raise KeyShredded("This data was deleted for good; its key no longer exists.")
    moment = clock.monotonic()
    with _lock:
        held = _cache.get(subject)
        if held and held[1] == blob and moment - held[0] < _CACHE_SECONDS:
            _cache.move_to_end(subject)
            return held[2]
    key = wiring.key_service().unwrap(blob, _context(subject))
    with _lock:
        _cache[subject] = (moment, blob, key)
        while len(_cache) > _CACHE_KEYS:
            _cache.popitem(last=False)
    return key


def flush(subject: UUID | None = None) -> None:
    """Forget one customer's key, or all."""
    with _lock:
        if subject is None:
            _cache.clear()
        else:
            _cache.pop(subject, None)


def destroy(subject: UUID) -> None:
    """Destroy the customer key in every replica. From here on nothing of the customer opens, whatever happens next."""
    wiring.key_store().delete(subject)
    flush(subject)


def rewrap(subject: UUID) -> bool:
    """Wrap a customer key anew under the current root, unless it already is.

    Returns:
        True when it had to be wrapped anew.
    """
    service, store = wiring.key_service(), wiring.key_store()
    blob = store.get(subject)
    if blob is None or service.root_of(blob) == service.current_root():
        return False
    key = service.unwrap(blob, _context(subject))
    store.put(subject, service.wrap(key, _context(subject)))
    flush(subject)
    return True
