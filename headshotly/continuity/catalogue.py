"""Which backups there are, as the stores themselves say; nothing here asks a database."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from headshotly.continuity import contents, manifest, sealing, wrappings
from headshotly.continuity.contents import Contents
from headshotly.continuity.errors import BackupDamaged, NoBackup
from headshotly.continuity.manifest import Manifest
from headshotly.continuity.reading import read_blob
from headshotly.continuity.sealing import RepositoryKey
from headshotly.continuity.stores import Store
from headshotly.vault.errors import KeyServiceUnavailable, ObjectMissing, StoreUnavailable
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


class Ring:
    """The secrets of repositories. Every wrapping that is known of one is tried, each once.

    A manifest names the wrapping of its day, whose root may be retired since; those beside the blobs, and those in
    later manifests of the same repository, open the same secret.
    """

    def __init__(self, service: KeyService, *, only_root: str = "") -> None:
        """Take the key service that opens wrappings, and the only root whose wrappings shall count; empty for all."""
        self._service, self._only = service, only_root
        self._wrappings: dict[UUID, list[bytes]] = {}
        self._opened: dict[tuple[UUID, bytes], RepositoryKey | KeyServiceUnavailable] = {}

    def learn(self, repository: UUID, wrapped: bytes) -> None:
        """Take note of a wrapping that somebody claims is of a repository."""
        known = self._wrappings.setdefault(repository, [])
        if wrapped not in known:
            known.append(wrapped)

    def keys(self, repository: UUID, first: bytes = b"") -> Iterator[RepositoryKey]:
        """Yield what the wrappings of a repository open to, the one in ``first`` before the others.

        Raises:
            KeyServiceUnavailable: none of them opens.
        """
        known = self._wrappings.get(repository, [])
        refused: KeyServiceUnavailable | None = None
        opened = False
        for wrapped in [*([first] if first else []), *(one for one in known if one != first)]:
            found = self._open(repository, wrapped)
            if isinstance(found, RepositoryKey):
                opened = True
                yield found
            else:
                refused = refused or found
        if not opened:
            raise refused or KeyServiceUnavailable("No key of this backup repository is known.")

    def _open(self, repository: UUID, wrapped: bytes) -> RepositoryKey | KeyServiceUnavailable:
        place = repository, wrapped
        if place not in self._opened:
            try:
                self._require_counting(wrapped)
                self._opened[place] = sealing.unwrap_key(self._service, repository, wrapped)
            except KeyServiceUnavailable as refusal:
                self._opened[place] = refusal
        return self._opened[place]

    def _require_counting(self, wrapped: bytes) -> None:
        if self._only and self._service.root_of(wrapped) != self._only:
            raise KeyServiceUnavailable("A backup opens under an older root key only.")


def look(stores: tuple[Store, ...], service: KeyService, *, only_root: str = "") -> Catalogue:
    """Read and check every manifest of every store.

    Args:
        stores: which.
        service: opens the repositories' keys.
        only_root: look as if no other root were left; empty for all.

    Raises:
        KeyServiceUnavailable: the key service does not open the key of a manifest: it is another installation's, the
            root key is the wrong one, or the service is down.
    """
    found, ring, known = Catalogue(), Ring(service, only_root=only_root), dict[UUID, Found]()
    for store, name, signed in _everything(stores, ring, found):
        _take(store, (name, signed), known, ring, found)
    found.backups = sorted(known.values(), key=lambda one: (one.manifest.generation, one.manifest.moment), reverse=True)
    return found


def _everything(stores: tuple[Store, ...], ring: Ring, found: Catalogue) -> list[tuple[Store, str, bytes]]:
    """Read every manifest, and learn every wrapping, before anything is opened."""
    read: list[tuple[Store, str, bytes]] = []
    for store in stores:
        try:
            for repository, held in wrappings.read(store).items():
                for wrapped in held:
                    ring.learn(repository, wrapped)
            for name in sorted(one.name for one in store.repository.kept(manifest.PREFIX)):
                try:
                    read.append((store, name, b"".join(store.repository.read(name))))
                except ObjectMissing as error:
                    found.damaged.append(f"{store.region}, {name}: {error.sentence}")
        except StoreUnavailable as error:
            found.silent[store.region] = error.sentence
    for _, _, signed in read:
        with contextlib.suppress(BackupDamaged):
            unchecked = manifest.peek(signed)
            ring.learn(UUID(unchecked.repository), unchecked.wrapped)
    return read


def _take(store: Store, given: tuple[str, bytes], known: dict[UUID, Found], ring: Ring, found: Catalogue) -> None:
    name, signed = given
    try:
        read, key = _believed(name, signed, ring)
    except BackupDamaged as error:
        found.damaged.append(f"{store.region}, {name}: {error.sentence}")
        return
    if read.id in known and known[read.id].signed == signed:
        known[read.id].stores.append(store)
    elif read.id in known:
        found.damaged.append(f"{store.region}, {name}: it differs from the same backup's manifest elsewhere.")
    else:
        known[read.id] = Found(read, signed, key, [store])


def _believed(name: str, signed: bytes, ring: Ring) -> tuple[Manifest, RepositoryKey]:
    """Return a manifest that one of its repository's keys signed, and that key."""
    unchecked = manifest.peek(signed)
    forged: BackupDamaged | None = None
    for key in ring.keys(UUID(unchecked.repository), unchecked.wrapped):
        try:
            return _read_as(name, signed, _public(key)), key
        except BackupDamaged as damage:
            forged = forged or damage
    raise forged or BackupDamaged("A manifest in the backup store is signed by no key.")


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
