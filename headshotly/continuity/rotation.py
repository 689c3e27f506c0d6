"""The backups' own root key, changed: a new root, every repository's secret wrapped anew, the old root retired.

No blob and no manifest is touched: only the secret that every other key of a repository comes from is wrapped again.
A root that was stolen before it was retired still opens the wrappings of its day; ADR 0070 says what to do then.
"""

import datetime as dt
from dataclasses import dataclass, replace
from uuid import UUID

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.continuity import backing_up, catalogue, places, sealing, wrappings
from headshotly.continuity.catalogue import Catalogue
from headshotly.continuity.errors import BackupIncomplete
from headshotly.continuity.progress import Progress
from headshotly.continuity.sealing import RepositoryKey
from headshotly.continuity.stores import Store
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vault.errors import KeyServiceUnavailable, RotationIncomplete
from headshotly.vault.keyservice import KeyService


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did.

    Attributes:
        root: id of the root in force now.
        backups: how many backups open with it, in every store.
        written: wrappings written in this run, over all stores.
        retired: ids of the roots destroyed in this run.
        resumed: whether it went on with a rotation that was interrupted.
    """

    root: str
    backups: int
    written: int
    retired: tuple[str, ...]
    resumed: bool


@enforces("3.2.b", "6.1.a")
def rotate(*, actor: Actor, progress: Progress) -> Rotation:
    """Put a new root of the backups in force, wrap every repository's secret under it, and destroy the older roots.

    The caller holds the lock of backups. More than one root at the beginning is a rotation that was interrupted: it
    goes on, without another root. A crash leaves, by step: nothing (1); both roots and every wrapping there was (2, 3,
    4); some older roots retired, none of them needed (5). Every backup opens at each of them.

    Raises:
        BackupIncomplete: a store is silent or a manifest cannot be believed; nothing was changed.
        RotationIncomplete: a backup opens under an older root only; that root is kept, and running again goes on.
        KeyServiceUnavailable: the key service did not answer; running again goes on.
        StoreUnavailable: a store failed; running again goes on.
    """
    stores, service = places.stores(), places.key_service()
    # 1. Whatever cannot be read now could not be wrapped anew.
    _require_readable(catalogue.look(stores, service))
    # 2. The new root, before the secrets are listed: a repository that begins later begins under it.
    service.current_root()
    resumed = len(service.roots()) > 1
    root = service.current_root() if resumed else service.new_root()
    # 3. Every secret, wrapped anew in every store. What was there stays.
    written = 0
    keys = _keys(stores, service)
    for at, key in enumerate(keys, 1):
        written += _keep(stores, service, key)
        progress("Keys", at, len(keys))
    # 4. Looked up again, in each store by itself, as if the older roots were gone already.
    backups = require_only_under(root, stores, service)
    # 5. The older roots die. Retiring is harmless to repeat.
    leaving = tuple(sorted(set(service.roots()) - {root}))
    audit.record_durably(actor=actor, act=Act.BACKUP_ROOT_ROTATED, purpose=f"root {root}")
    for old in leaving:
        service.retire(old)
    return Rotation(root=root, backups=backups, written=written, retired=leaving, resumed=resumed)


def _require_readable(found: Catalogue) -> None:
    said = [*(f"{region}: {why}" for region, why in found.silent.items()), *found.damaged]
    if said:
        raise BackupIncomplete(f"No root key is retired while not every manifest can be read. {'; '.join(said)}")


def _keys(stores: tuple[Store, ...], service: KeyService) -> list[RepositoryKey]:
    """Return the secret of every repository: of those that backups are of, and of those that begin just now."""
    found = catalogue.look(stores, service)
    _require_readable(found)
    keys = {one.key.repository: one.key for one in found.backups}
    for store in stores:
        for repository, held in wrappings.read(store).items():
            if repository not in keys and (key := _opened(service, repository, held)) is not None:
                keys[repository] = key
    return [keys[repository] for repository in sorted(keys)]


def _opened(service: KeyService, repository: UUID, held: list[bytes]) -> RepositoryKey | None:
    """Return the secret of a repository without backups; where no root opens it, nothing was ever sealed under it."""
    ring = catalogue.Ring(service)
    for wrapped in held:
        ring.learn(repository, wrapped)
    try:
        return next(ring.keys(repository))
    except KeyServiceUnavailable:
        return None


def _keep(stores: tuple[Store, ...], service: KeyService, key: RepositoryKey) -> int:
    fresh = replace(key, wrapped=service.rewrap(key.wrapped, sealing.context(key.repository)))
    until = clock.now() + dt.timedelta(days=backing_up.lock_days())
    return sum(wrappings.put(store, service, fresh, until=until) for store in stores)


def require_only_under(root: str, stores: tuple[Store, ...], service: KeyService) -> int:
    """Refuse unless every backup opens in each store by itself with one root alone; return how many backups there are.

    Raises:
        RotationIncomplete: says in which region one does not.
        KeyServiceUnavailable: the key service did not answer.
    """
    backups: set[UUID] = set()
    for store in stores:
        try:
            found = catalogue.look((store,), service, only_root=root)
        except KeyServiceUnavailable as refusal:
            raise RotationIncomplete(
                f"A backup in {store.region} does not open with the new root key yet, so the old one was kept. "
                "Run the command again."
            ) from refusal
        _require_readable(found)
        backups |= {one.manifest.id for one in found.backups}
    return len(backups)
