"""Which backups there are, as the stores themselves say; nothing here asks a database."""

from dataclasses import dataclass, field
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from headshotly.continuity import contents, manifest, sealing
from headshotly.continuity.contents import Contents
from headshotly.continuity.errors import BackupDamaged, NoBackup
from headshotly.continuity.manifest import Manifest
from headshotly.continuity.reading import read_blob
from headshotly.continuity.sealing import RepositoryKey
from headshotly.continuity.stores import Store
from headshotly.vault.errors import ObjectMissing, StoreUnavailable
from headshotly.vault.keyservice import KeyService


@dataclass(slots=True)
class Found:
    """A backup and the stores that hold its manifest.

    Attributes:
        manifest: signature checked.
        signed: its bytes.
        key: of its repository.
        stores: that hold it.
    """

    manifest: Manifest
    signed: bytes
    key: RepositoryKey
    stores: list[Store]

    def contents(self) -> Contents:
        """Return the list of what is in it, from the first store that has it whole.

        Raises:
            BackupDamaged: no store has it whole.
        """
        sealed = read_blob(self.stores, self.manifest.contents_blob)
        return contents.decode(sealing.unseal(self.key, sealed, purpose=PURPOSE_CONTENTS))


PURPOSE_CONTENTS = "backup-contents"
PURPOSE_CHUNK = "backup-chunk"


@dataclass(slots=True)
class Catalogue:
    """What the stores hold.

    Attributes:
        backups: newest first, by generation.
        damaged: one sentence for each manifest that cannot be believed.
        silent: region → why the store did not answer.
    """

    backups: list[Found] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    silent: dict[str, str] = field(default_factory=dict)

    def newest(self) -> Found | None:
        """Return the newest backup, or None."""
        return self.backups[0] if self.backups else None


def _public(key: RepositoryKey) -> Ed25519PublicKey:
    return key.signing.public_key()


class _Keys:
    """Unwraps each repository's key once; the manifests of one repository carry one secret."""

    def __init__(self, service: KeyService) -> None:
        self._service = service
        self._known: dict[tuple[UUID, bytes], RepositoryKey] = {}

    def of(self, unchecked: Manifest) -> RepositoryKey:
        place = UUID(unchecked.repository), bytes.fromhex(unchecked.key)
        if place not in self._known:
            self._known[place] = sealing.unwrap_key(self._service, *place)
        return self._known[place]


def look(stores: tuple[Store, ...], service: KeyService) -> Catalogue:
    """Read and check every manifest of every store.

    Raises:
        KeyServiceUnavailable: the key service does not open the key of a manifest: it is another installation's, the
            root key is the wrong one, or the service is down.
    """
    found, keys = Catalogue(), _Keys(service)
    known: dict[UUID, Found] = {}
    for store in stores:
        try:
            names = sorted(one.name for one in store.repository.kept(manifest.PREFIX))
            for name in names:
                _take(store, name, known, keys, found)
        except StoreUnavailable as error:
            found.silent[store.region] = error.sentence
    found.backups = sorted(known.values(), key=lambda one: (one.manifest.generation, one.manifest.moment), reverse=True)
    return found


def _take(store: Store, name: str, known: dict[UUID, Found], keys: _Keys, found: Catalogue) -> None:
    try:
        signed = b"".join(store.repository.read(name))
        key = keys.of(manifest.peek(signed))
        read = _read_as(name, signed, _public(key))
    except (BackupDamaged, ObjectMissing) as error:
        found.damaged.append(f"{store.region}, {name}: {error.sentence}")
        return
    if read.id in known and known[read.id].signed == signed:
        known[read.id].stores.append(store)
    elif read.id in known:
        found.damaged.append(f"{store.region}, {name}: it differs from the same backup's manifest elsewhere.")
    else:
        known[read.id] = Found(read, signed, key, [store])


def _read_as(name: str, signed: bytes, key: Ed25519PublicKey) -> Manifest:
    read = manifest.read(signed, key)
    if read.name != name:
        raise BackupDamaged("A manifest lies under another one's name; it was not used.")
    return read


def require_newest(catalogue: Catalogue) -> Found:
    """Return the newest backup.

    Raises:
        NoBackup: there is none; says which stores did not answer.
    """
    newest = catalogue.newest()
    if newest is None:
        silent = "; ".join(f"{region}: {why}" for region, why in catalogue.silent.items())
        raise NoBackup(f"There is no backup in any store{f' ({silent})' if silent else ''}.")
    return newest


def require_sealed(found: Found) -> None:
    """Refuse a backup whose contents do not open with its key, or whose pieces are not sealed objects of its own.

    Raises:
        BackupDamaged: says what.
    """
    contents = found.contents()
    for part in contents.databases.values():
        for chunk in part.chunks[:1]:
            sealed = read_blob(found.stores, chunk.blob)
            piece = sealing.unseal(found.key, sealed, purpose=PURPOSE_CHUNK)
            if piece[:64] in sealed or sealing.chunk_id(found.key, piece) != chunk.id:
                raise BackupDamaged("A piece of the database is not encrypted as it should be.")
    if not contents.databases:
        raise BackupDamaged("The backup holds no database.")


def lacking(found: Found, store: Store) -> int:
    """Return how many parts of a backup a store lacks, by names and sizes; its manifest counts as one.

    Raises:
        BackupDamaged: the list of contents cannot be read anywhere.
        StoreUnavailable: the store did not answer.
    """
    held = {one.name: one.size for one in store.repository.kept("blobs/")}
    needed = {blob.name: blob.size for blob in (found.manifest.contents_blob, *found.contents().blobs())}
    absent = sum(held.get(name) != size for name, size in needed.items())
    return absent + (store not in found.stores)
