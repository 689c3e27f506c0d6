"""Reading the kept copies again, and healing what rotted from a copy that did not."""

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from headshotly.continuity import backing_up, catalogue, places, wrappings
from headshotly.continuity.catalogue import Catalogue
from headshotly.continuity.contents import Blob, StoredCopy
from headshotly.continuity.errors import BackupDamaged
from headshotly.continuity.progress import Progress
from headshotly.continuity.reading import is_whole, read_blob
from headshotly.continuity.stores import Store
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vault import wiring as vault
from headshotly.vault.errors import ObjectMissing, StoreUnavailable

SHARES = 28  # a share a day reads everything in four weeks


@dataclass(slots=True)
class Checked:
    """What was found in one store.

    Attributes:
        region: of the store.
        blobs: how many blobs the kept backups need.
        read: how many of them were read and hashed.
        damaged: how many were missing or damaged.
        healed: how many of those were written anew.
        failed: why the store could not be checked; empty where it could.
    """

    region: str
    blobs: int = 0
    read: int = 0
    damaged: int = 0
    healed: int = 0
    failed: str = ""

    @property
    def whole(self) -> bool:
        """Say whether everything that was looked at is there now."""
        return not self.failed and self.damaged == self.healed


@dataclass(slots=True)
class Check:
    """What looking at every store found.

    Attributes:
        stores: one after the other.
        unusable: one sentence for each manifest or list of contents that cannot be believed anywhere.
        copied: how many manifests were written to a store that lacked them.
    """

    stores: list[Checked] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    copied: int = 0

    @property
    def whole(self) -> bool:
        """Say whether every kept backup is whole in every store now."""
        return bool(self.stores) and not self.unusable and all(store.whole for store in self.stores)


@enforces("6.1.a", "6.1.b")
def check(progress: Progress, *, share: int | None = None) -> Check:
    """Look for every blob of every kept backup in every store, read a share, and heal; the caller holds the lock.

    Args:
        progress: hears how far it is.
        share: which of the ``SHARES`` parts is read and hashed; None reads everything. Names and sizes are always
            looked at.

    Raises:
        KeyServiceUnavailable: the backups' key does not open.
        PlacesRefused: there are not two stores in two regions of the Union.
    """
    stores = places.stores()
    found = catalogue.look(stores, places.key_service())
    result = Check(unusable=list(found.damaged))
    needed, sources = _needed(found, result)
    for store in stores:
        checked = Checked(store.region, blobs=len(needed), failed=found.silent.get(store.region, ""))
        result.stores.append(checked)
        if not checked.failed:
            try:
                _check_store(store, (needed, sources), checked, share=share, progress=progress)
            except StoreUnavailable as error:
                checked.failed = error.sentence
    _keep_keys(found, result, stores)
    _copy_manifests(found, result, stores)
    return result


def _keep_keys(found: Catalogue, result: Check, stores: tuple[Store, ...]) -> None:
    """Have every repository's secret in every store under the root in force; a wrapping that rotted is written anew."""
    service = places.key_service()
    keys = {one.key.repository: one.key for one in reversed(found.backups)}
    for checked, store in zip(result.stores, stores, strict=True):
        if not checked.failed:
            try:
                for key in keys.values():
                    fresh = wrappings.under_current_root(service, key)
                    if wrappings.put(store, service, fresh, until=clock.now() + _lock()):
                        checked.damaged += 1
                        checked.healed += 1
            except StoreUnavailable as error:
                checked.failed = error.sentence


def _needed(found: Catalogue, result: Check) -> tuple[dict[bytes, Blob], dict[bytes, StoredCopy]]:
    """Return every blob that a kept backup needs, and which object each is of, to heal it from the object store."""
    needed: dict[bytes, Blob] = {}
    sources: dict[bytes, StoredCopy] = {}
    for one in found.backups:
        needed[one.manifest.contents_blob.digest] = one.manifest.contents_blob
        try:
            contents = one.contents()
        except BackupDamaged as damage:
            result.unusable.append(f"backup {one.manifest.backup}: {damage.sentence}")
            continue
        needed.update((blob.digest, blob) for blob in contents.blobs())
        sources.update((copy.blob.digest, copy) for copy in contents.objects)
    return needed, sources


def _check_store(
    store: Store,
    wanted: tuple[dict[bytes, Blob], dict[bytes, StoredCopy]],
    checked: Checked,
    *,
    share: int | None,
    progress: Progress,
) -> None:
    needed, sources = wanted
    held = {one.name: one.size for one in store.repository.kept("blobs/")}
    for at, blob in enumerate(needed.values(), 1):
        sound = held.get(blob.name) == blob.size
        if sound and (share is None or blob.digest[0] % SHARES == share):
            checked.read += 1
            sound = is_whole(store, blob)
        if not sound:
            checked.damaged += 1
            checked.healed += _heal(store, blob, sources.get(blob.digest))
        progress(f"Reading {store.region}", at, len(needed))


def _heal(store: Store, blob: Blob, source: StoredCopy | None) -> bool:
    """Write a blob anew from another store or the object store; say whether it is whole now."""
    content = _elsewhere([one for one in places.stores() if one is not store], blob)
    if content is None and source is not None:
        content = _from_source(source)
    if content is None:
        return False
    store.repository.put(blob.name, iter([content]), until=clock.now() + _lock())
    return is_whole(store, blob)


def _lock() -> dt.timedelta:
    return dt.timedelta(days=backing_up.lock_days())


def _elsewhere(stores: Iterable[Store], blob: Blob) -> bytes | None:
    try:
        return read_blob(stores, blob)
    except BackupDamaged:
        return None


def _from_source(copy: StoredCopy) -> bytes | None:
    try:
        file = vault.object_store().open(copy.subject, copy.object_id)
    except (ObjectMissing, StoreUnavailable):
        return None
    try:
        content = bytes(file.view(0, file.size))
    finally:
        file.close()
    return content if hashlib.sha256(content).digest() == copy.blob.digest else None


def _copy_manifests(found: Catalogue, result: Check, stores: tuple[Store, ...]) -> None:
    """Let a backup count in a store that lacked it, once everything it needs is there."""
    for checked, store in zip(result.stores, stores, strict=True):
        if not checked.whole:
            continue
        for one in found.backups:
            if store not in one.stores:
                store.repository.put(one.manifest.name, iter([one.signed]), until=clock.now() + _lock())
                result.copied += 1
