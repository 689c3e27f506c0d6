"""The wrappings of a repository's secret: one small file for each root key, beside the blobs they open.

A manifest is never changed, so the wrapping in it stays under the root of its day. When the backups get another root,
the secret is wrapped anew and kept here, in every store; whoever reads a backup tries these as well.
"""

import contextlib
import datetime as dt
import hmac
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from headshotly.continuity import sealing
from headshotly.continuity.sealing import RepositoryKey
from headshotly.continuity.stores import Store
from headshotly.policy.enforcement import enforces
from headshotly.vault.errors import KeyServiceUnavailable, ObjectMissing, StoreUnavailable
from headshotly.vault.keyservice import KeyService

PREFIX = "keys/"
_SUFFIX = ".key"


def name_of(service: KeyService, key: RepositoryKey) -> str:
    """Return the name a wrapping is kept under: repository and root."""
    return f"{PREFIX}{key.repository}/{service.root_of(key.wrapped)}{_SUFFIX}"


def parts_of(name: str) -> tuple[UUID, str] | None:
    """Return repository and root of a wrapping's name, or None where it is no such name."""
    repository, _, root = name.removeprefix(PREFIX).removesuffix(_SUFFIX).partition("/")
    try:
        return UUID(repository), root
    except ValueError:
        return None


def read(store: Store) -> dict[UUID, list[bytes]]:
    """Return what a store holds, by repository. Nothing here is believed: whoever uses one checks what it opens.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    found: dict[UUID, list[bytes]] = {}
    for kept in sorted(store.repository.kept(PREFIX), key=lambda one: one.written_at, reverse=True):
        parts = parts_of(kept.name)
        if parts is not None:
            with contextlib.suppress(ObjectMissing):
                found.setdefault(parts[0], []).append(b"".join(store.repository.read(kept.name)))
    return found


@enforces("3.2.b")
def put(store: Store, service: KeyService, key: RepositoryKey, *, until: dt.datetime) -> bool:
    """Have a wrapping in a store, read back and opened; return whether it had to be written.

    A crash leaves nothing, or the wrapping: either way every other one is as it was.

    Args:
        store: where.
        service: that made the wrapping.
        key: with the wrapping.
        until: what is written is locked at least so long, where the store locks.

    Raises:
        KeyServiceUnavailable: the key service did not answer.
        StoreUnavailable: the store did not answer, or gives back something else.
    """
    name = name_of(service, key)
    if _opens_in(store, name, service, key):
        return False
    store.repository.put(name, iter([key.wrapped]), until=until)
    if not _opens_in(store, name, service, key):
        raise StoreUnavailable(f"The store {store.region} gives back other bytes than it was given.")
    return True


def _opens_in(store: Store, name: str, service: KeyService, key: RepositoryKey) -> bool:
    try:
        held = b"".join(store.repository.read(name))
    except ObjectMissing:
        return False
    if held == key.wrapped:
        return True
    try:
        # Another wrapping under the same root serves as well; one that opens something else does not.
        same_root = service.root_of(held) == service.root_of(key.wrapped)
        opened = sealing.unwrap_key(service, key.repository, held).secret if same_root else b""
        return hmac.compare_digest(opened, key.secret)
    except KeyServiceUnavailable:
        return False


def under_current_root(service: KeyService, key: RepositoryKey) -> RepositoryKey:
    """Return a repository's key with a wrapping under the root in force, whatever became of the one it has.

    Raises:
        KeyServiceUnavailable: the key service did not answer.
    """
    if service.root_of(key.wrapped) == service.current_root():
        return key
    return replace(key, wrapped=service.wrap(key.secret, sealing.context(key.repository)))


def remove_retired(
    stores: Iterable[Store], roots: Iterable[str], repositories: Iterable[UUID], *, before: dt.datetime
) -> int:
    """Remove the wrappings of roots that are retired, and of repositories that no backup is of any more.

    Args:
        stores: where to look.
        roots: that are not retired.
        repositories: that backups are of.
        before: what was written later is left alone; its backup may be under way.

    Returns:
        How many were removed; what a lock still holds goes later.

    Raises:
        StoreUnavailable: a store did not answer; running again goes on.
    """
    living, used, removed = set(roots), set(repositories), 0
    for store in stores:
        for kept in list(store.repository.kept(PREFIX)):
            parts = parts_of(kept.name)
            if parts is None or kept.written_at > before or (parts[0] in used and parts[1] in living):
                continue
            removed += store.repository.remove(kept.name)
    return removed
