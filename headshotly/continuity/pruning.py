"""Letting old backups go: manifests first, then what no manifest names any more."""

import datetime as dt
from dataclasses import dataclass

from headshotly.continuity import catalogue, mirroring, places, wrappings
from headshotly.continuity.catalogue import Catalogue, Found
from headshotly.continuity.errors import BackupIncomplete
from headshotly.continuity.generations import Keeping, Made, kept
from headshotly.continuity.progress import Progress
from headshotly.policy import clock, configuration

# What a running or killed backup wrote and no manifest names yet is left alone for so long.
GRACE = dt.timedelta(days=2)


@dataclass(slots=True)
class Pruned:
    """What pruning did.

    Attributes:
        backups: how many backups were let go, counted once however many stores held them.
        blobs: how many blobs were removed, over all stores.
        bytes: theirs.
        locked: how many things a lock still holds; they go later.
    """

    backups: int = 0
    blobs: int = 0
    bytes: int = 0
    locked: int = 0


def keeping() -> Keeping:
    """Return how many backups to keep; options ``backup.keep_hours``, ``_days``, ``_weeks``, ``_months``.

    Raises:
        ValueError: none would be kept.
    """
    options, usual = configuration.current().options, Keeping()
    numbers = {
        name: int(options.get(f"backup.keep_{name}", getattr(usual, name)))
        for name in ("hours", "days", "weeks", "months")
    }
    return Keeping(**numbers)


def prune(progress: Progress) -> Pruned:
    """Let go of what need not be kept; the caller holds the lock of backups.

    A crash leaves backups in some stores that are gone from others, or blobs that no manifest names; the next run
    removes both. What was destroyed one by one is forgotten last, once no backup is old enough to revive it.

    Raises:
        BackupIncomplete: a store is silent or a manifest cannot be read, so that nobody knows what is still needed.
        StoreUnavailable: a store failed; running again goes on.
    """
    found = catalogue.look(places.stores(), places.key_service())
    if found.silent or found.damaged:
        why = "; ".join([*(f"{region}: {sentence}" for region, sentence in found.silent.items()), *found.damaged])
        raise BackupIncomplete(f"Nothing is removed while not every manifest can be read. {why}")
    done = Pruned()
    remaining = _let_go(found, done)
    _remove_unnamed(remaining, done, progress)
    roots, used = places.key_service().roots(), {one.key.repository for one in remaining}
    wrappings.remove_retired(places.stores(), roots, used, before=clock.now() - GRACE)
    if remaining:
        oldest = min(one.manifest.moment for one in remaining)
        mirroring.forget_destructions(places.stores(), before=(oldest - GRACE).date())
    return done


def _let_go(found: Catalogue, done: Pruned) -> list[Found]:
    made = [Made(one.manifest.id, one.manifest.generation, one.manifest.moment) for one in found.backups]
    chosen = kept(made, keeping(), now=clock.now())
    # The newest that every store holds is kept as well, whatever newer ones some of them have.
    everywhere = next((one for one in found.backups if len(one.stores) == len(places.stores())), None)
    remaining = []
    for one in found.backups:
        if one.manifest.id in chosen or one is everywhere:
            remaining.append(one)
            continue
        gone = [store.repository.remove(one.manifest.name) for store in one.stores]
        if all(gone):
            done.backups += 1
        else:
            done.locked += gone.count(False)
            remaining.append(one)
    return remaining


def _remove_unnamed(remaining: list[Found], done: Pruned, progress: Progress) -> None:
    named = set()
    for at, one in enumerate(remaining, 1):
        progress("Contents", at, len(remaining))
        named.add(one.manifest.contents_blob.name)
        named |= {blob.name for blob in one.contents().blobs()}
    before = clock.now() - GRACE
    for store in places.stores():
        for held in list(store.repository.kept("blobs/")):
            if held.name in named or held.written_at > before:
                continue
            if store.repository.remove(held.name):
                done.blobs += 1
                done.bytes += held.size
            else:
                done.locked += 1
        store.repository.sweep(before=before)
