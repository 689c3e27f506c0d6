"""One backup, from the first look at the stores to the signed manifest.

What a crash leaves, by step: nothing, or a wrapping of the repository's key (looking); copies of databases that the
next run removes (snapshot); blobs that no manifest names, used by the next run or pruned (chunks, objects, contents); a
manifest in some stores only, which is a backup there and none in the others (manifest). No backup is ever changed after
its manifest was written.
"""

import contextlib
import datetime as dt
import fcntl
import hashlib
import os
from collections.abc import Buffer, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import batched
from typing import IO
from uuid import UUID

from headshotly.audit import selectors as journal
from headshotly.continuity import catalogue, databases, local_files, manifest, places, sealing, wrappings
from headshotly.continuity.catalogue import PURPOSE_CHUNK, PURPOSE_CONTENTS, Found
from headshotly.continuity.contents import Blob, Chunk, Contents, Piecewise, StoredCopy
from headshotly.continuity.errors import BackupDamaged, Busy
from headshotly.continuity.manifest import Manifest
from headshotly.continuity.progress import Progress
from headshotly.continuity.reading import read_blob
from headshotly.continuity.writing import Pieces, Placing, pieces_of
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.vault import durable
from headshotly.vault import selectors as vault_contents
from headshotly.vault import wiring as vault
from headshotly.vault.errors import ObjectMissing, StoreUnavailable
from headshotly.vault.selectors import SealedRow

EVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)  # whatever the clock says, what is stored is there
SKEW = dt.timedelta(minutes=5)
_IN_MEMORY = 64 << 20
_PIECE = 1 << 20
_WORKERS = 4
_AT_ONCE = 64
_LOCK_SLACK_DAYS = 7  # locks are moved on a week at a time, not with every backup
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(slots=True)
class Outcome:
    """How a backup went.

    Attributes:
        manifest: as signed, or None where none was written.
        manifest_sha256: of its bytes, hexadecimal.
        held_by: regions that hold the backup, read back.
        lost: region → why it does not.
        missing: ids of objects that the database names and no store has.
        only_here: ids of objects that only the backups still have.
        written: bytes written, over all stores.
        warnings: what the operator should know.
    """

    manifest: Manifest | None = None
    manifest_sha256: str = ""
    held_by: list[str] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)
    missing: list[UUID] = field(default_factory=list)
    only_here: list[UUID] = field(default_factory=list)
    written: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Say whether everything is in every store."""
        return bool(self.held_by) and not self.lost and not self.missing and not self.only_here


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold this machine's lock of backups; the system lets go of it when the process dies.

    Raises:
        Busy: another backup, check or pruning runs.
    """
    folder = configuration.current().data_folder
    durable.make_folder(folder)
    descriptor = os.open(folder / "backup.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise Busy("Another backup, check or pruning runs on this machine; it finishes by itself.") from None
    try:
        yield
    finally:
        os.close(descriptor)


def lock_days() -> int:
    """Return how many days a backup is locked where a store locks; option ``backup.lock_days``."""
    return int(configuration.current().options.get("backup.lock_days", "35"))


def make(backup: UUID, progress: Progress) -> Outcome:
    """Make a backup; the caller holds the lock.

    Args:
        backup: its id.
        progress: hears how far it is.

    Raises:
        PlacesRefused: there are not two stores in two regions of the Union.
        KeyServiceUnavailable: the backups' key does not open what is in the stores.
        DatabaseUnfit: a database is damaged or cannot be copied; the older backups stand.
        StoreUnavailable: no store answers, or the object store does not.
    """
    return _Run(backup, progress).go()


class _Run:
    def __init__(self, backup: UUID, progress: Progress) -> None:
        self._id, self._progress = backup, progress
        self._began = clock.now()
        self._outcome = Outcome()
        self._stores = places.stores()
        self._service = places.key_service()
        days = dt.timedelta(days=lock_days())
        self._until = self._began + days + dt.timedelta(days=_LOCK_SLACK_DAYS)
        self._needed = (self._began + days - _EPOCH).days
        self._until_day = (self._until - _EPOCH).days

    def go(self) -> Outcome:
        self._look()
        moment = clock.now()
        with databases.engine().snapshot() as copies:
            # Rows before and after the copy: whatever the copy names is among them, for a row never comes back.
            before = vault_contents.sealed_rows()
            note = journal.latest_head() or ""
            parts = self._databases(copies)
        rows = {row.object_id: row for row in (*before, *vault_contents.sealed_rows())}
        objects = self._objects(rows)
        contents = Contents(
            databases=parts,
            files=self._files(),
            objects=tuple(objects),
            missing=tuple(self._outcome.missing),
            migrations=databases.migrations(),
        )
        self._finish(contents, note, moment)
        return self._outcome

    def _look(self) -> None:
        """Find the repository's key and what the newest backup held."""
        self._progress("Looking", 0, 0)
        found = catalogue.look(self._stores, self._service)
        self._outcome.warnings += found.damaged
        newest = found.newest()
        self._newest = newest
        self._known: dict[UUID, Blob] = {}
        self._chunks: dict[bytes, Blob] = {}
        trusted: set[bytes] = set()
        if newest is None:
            if len(found.silent) == len(self._stores):
                raise StoreUnavailable("No backup store answers: " + "; ".join(found.silent.values()))
            self._key = sealing.new_key(self._service)
        else:
            self._key = newest.key
            self._remember(newest, trusted)
        locking = [store for store in self._stores if store.region not in found.silent]
        self._locks = any(store.repository.locks for store in locking)
        # A store that lacks the newest manifest may hold blobs of it that nobody has read back.
        held_by = newest.stores if newest else []
        self._placings = [
            Placing(store, trusted=trusted if store in held_by else set(), until=self._until) for store in self._stores
        ]
        for placing in self._placings:
            placing.lost = placing.lost or found.silent.get(placing.store.region, "")
        self._keep_key()

    @enforces("3.2.b")
    def _keep_key(self) -> None:
        """Have the repository's secret in every store under the root in force, before anything is sealed with it.

        Another machine may change the root meanwhile; whichever of the two comes later wraps the secret for the other.
        """
        root = ""
        while root != (current := self._service.current_root()):
            root = current
            self._key = wrappings.under_current_root(self._service, self._key)
            for placing in self._placings:
                placing.keep_key(self._service, self._key)

    def _remember(self, newest: Found, trusted: set[bytes]) -> None:
        """Learn from the newest backup what need not be read again."""
        if newest.manifest.moment > self._began + SKEW:
            self._outcome.warnings.append(
                "The newest backup is dated in the future: a clock is or was wrong. Backups are ordered by number."
            )
        try:
            held = newest.contents()
        except BackupDamaged as damage:
            self._outcome.warnings.append(f"Everything is read anew: {damage.sentence}")
            return
        self._known = {copy.object_id: copy.blob for copy in held.objects}
        parts = (*held.databases.values(), *held.files.values())
        self._chunks = {chunk.id: chunk.blob for part in parts for chunk in part.chunks}
        trusted.update(blob.digest for blob in held.blobs())

    def _placed(self, blob: Blob, pieces: Pieces) -> Blob:
        """Have a blob in every store, its lock long enough; return it with its lock's end."""
        for placing in self._placings:
            placing.ensure(blob, pieces)
        if not self._locks or blob.locked_until >= self._needed:
            return blob
        if blob.locked_until:
            for placing in self._placings:
                placing.hold(blob)
        return replace(blob, locked_until=self._until_day)

    def _databases(self, copies: Iterator[tuple[str, IO[bytes]]]) -> dict[str, Piecewise]:
        size = databases.engine().chunk
        return {name: self._piecewise(f"Database {name}", file, size) for name, file in copies}

    def _piecewise(self, stage: str, source: IO[bytes], size: int) -> Piecewise:
        total, digest = 0, hashlib.sha256()
        found: list[Chunk] = []
        with ThreadPoolExecutor(_WORKERS) as pool:
            while pieces := sealing.chunks(source, size):
                for piece in pieces:
                    digest.update(piece)
                    total += len(piece)
                found += pool.map(self._chunk, pieces)
                self._progress(stage, total, 0)
        return Piecewise(total, digest.hexdigest(), tuple(found))

    def _chunk(self, plaintext: bytes) -> Chunk:
        name = sealing.chunk_id(self._key, plaintext)
        blob = self._chunks.get(name)
        if blob is None or any(placing.lacks(blob) for placing in self._placings if not placing.lost):
            sealed = sealing.seal(self._key, plaintext, purpose=PURPOSE_CHUNK)
            blob = Blob(hashlib.sha256(sealed).digest(), len(sealed))
            return Chunk(name, self._placed(blob, pieces_of(sealed)))
        return Chunk(name, self._placed(blob, pieces_of(b"")))

    def _files(self) -> dict[str, Piecewise]:
        found: dict[str, Piecewise] = {}
        for name, path in local_files.places().items():
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                found[name] = self._piecewise("Files", file, _PIECE)
        return found

    def _objects(self, rows: dict[UUID, SealedRow]) -> list[StoredCopy]:
        """Have every object that a row names in every store."""
        present = {one for _, one in vault.object_store().objects(before=EVER)}
        found: list[StoredCopy] = []
        done, total = 0, len(rows)
        self._progress("Objects", 0, total)
        with ThreadPoolExecutor(_WORKERS) as pool:
            for batch in batched(rows.values(), _AT_ONCE):
                copies = pool.map(lambda row: self._object(row, present=row.object_id in present), batch)
                for row, copy in zip(batch, copies, strict=True):
                    if copy is not None:
                        found.append(copy)
                    elif vault_contents.is_named(row.object_id):
                        self._outcome.missing.append(row.object_id)
                done += len(batch)
                self._progress("Objects", done, total)
        # Deleted while we worked is no loss; named still, and only in the backups, is one.
        self._outcome.only_here = [one for one in self._outcome.only_here if vault_contents.is_named(one)]
        return found

    def _object(self, row: SealedRow, *, present: bool) -> StoredCopy | None:
        """Return a row's object as the stores hold it, or None where nobody has it. Asks no database."""
        known = self._known.get(row.object_id)
        if known is not None and known.size == row.size and (present or not self._lacking(known)):
            if not present:
                self._outcome.only_here.append(row.object_id)
            if not self._lacking(known):
                return StoredCopy(row.subject, row.object_id, self._placed(known, pieces_of(b"")))
        try:
            blob, pieces = _source(row)
        except ObjectMissing:
            return self._from_elsewhere(row, known)
        if known is not None and known.size == blob.size:
            if known.digest != blob.digest and (copy := self._from_elsewhere(row, known)) is not None:
                # Written once and never changed: bytes that differ have rotted in the object store.
                return copy
            blob = known if known.digest == blob.digest else blob
        return StoredCopy(row.subject, row.object_id, self._placed(blob, pieces))

    def _lacking(self, blob: Blob) -> bool:
        return any(placing.lacks(blob) for placing in self._placings if not placing.lost)

    def _from_elsewhere(self, row: SealedRow, known: Blob | None) -> StoredCopy | None:
        """Copy from one store to the others what only a store still has."""
        if known is None or self._newest is None:
            return None
        try:
            content = read_blob(self._newest.stores, known)
        except BackupDamaged:
            return None
        if row.object_id not in self._outcome.only_here:
            self._outcome.only_here.append(row.object_id)
        return StoredCopy(row.subject, row.object_id, self._placed(known, pieces_of(content)))

    def _finish(self, contents: Contents, note: str, moment: dt.datetime) -> None:
        """Write the sealed list and the signed manifest."""
        self._progress("Manifest", 0, 0)
        sealed = sealing.seal(self._key, contents.encode(), purpose=PURPOSE_CONTENTS)
        listed = self._placed(Blob(hashlib.sha256(sealed).digest(), len(sealed)), pieces_of(sealed))
        written = self._manifest(contents, listed, note, moment)
        signed = manifest.write(written, self._key.signing)
        for placing in self._placings:
            placing.finish(written.name, signed)
        outcome = self._outcome
        outcome.lost = {placing.store.region: placing.lost for placing in self._placings if placing.lost}
        outcome.held_by = [placing.store.region for placing in self._placings if not placing.lost]
        outcome.written = sum(placing.written for placing in self._placings)
        if outcome.held_by:
            outcome.manifest, outcome.manifest_sha256 = written, hashlib.sha256(signed).hexdigest()

    def _manifest(self, contents: Contents, listed: Blob, note: str, moment: dt.datetime) -> Manifest:
        return Manifest(
            backup=str(self._id),
            repository=str(self._key.repository),
            key=self._key.wrapped.hex(),
            generation=self._newest.manifest.generation + 1 if self._newest else 1,
            environment=configuration.current().environment,
            engine=databases.engine().name,
            began_at=self._began.isoformat(),
            snapshot_at=moment.isoformat(),
            checkpoint=note,
            contents=listed.digest.hex(),
            contents_size=listed.size,
            contents_locked_until=listed.locked_until,
            objects=len(contents.objects),
            object_bytes=sum(copy.blob.size for copy in contents.objects),
            database_bytes=sum(part.size for part in contents.databases.values()),
            missing=len(contents.missing),
        )


@enforces("6.1.a")
def _source(row: SealedRow) -> tuple[Blob, Pieces]:
    """Return what an object's bytes are called, and what gives them.

    Raises:
        ObjectMissing: the object store does not have it.
        StoreUnavailable: the object store did not answer.
    """
    with contextlib.closing(vault.object_store().open(row.subject, row.object_id)) as file:
        if file.size <= _IN_MEMORY:
            content = b"".join(bytes(file.view(at, _PIECE)) for at in range(0, file.size, _PIECE))
            return Blob(hashlib.sha256(content).digest(), len(content)), pieces_of(content)
        digest = hashlib.sha256()
        for at in range(0, file.size, _PIECE):
            digest.update(file.view(at, _PIECE))
        return Blob(digest.digest(), file.size), _again(row)


def _again(row: SealedRow) -> Callable[[], Iterator[Buffer]]:
    def pieces() -> Iterator[Buffer]:
        with contextlib.closing(vault.object_store().open(row.subject, row.object_id)) as file:
            for at in range(0, file.size, _PIECE):
                yield file.view(at, _PIECE)

    return pieces
