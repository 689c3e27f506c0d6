"""From a backup to a service that may open, in an empty place. Every step before the last leaves the place closed.

What a crash leaves: the mark on the place (``marker``) and some of the data. Running the restore again begins anew.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import batched
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from headshotly.accounts import selectors as accounts
from headshotly.audit import keys as journal_keys
from headshotly.audit import selectors as journal
from headshotly.audit import services as audit
from headshotly.audit import verification, witnesses
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.audit.checkpoint import read as read_checkpoint
from headshotly.audit.sequencing import sequence_once
from headshotly.continuity import catalogue, databases, local_files, marker, mirroring, places, sealing
from headshotly.continuity.backing_up import EVER
from headshotly.continuity.catalogue import PURPOSE_CHUNK, Found
from headshotly.continuity.contents import Contents, Piecewise, StoredCopy
from headshotly.continuity.errors import BackupDamaged, NoBackup, PlaceTaken, RestoreIncomplete
from headshotly.continuity.models import BackupRecord, BackupState
from headshotly.continuity.progress import Progress
from headshotly.continuity.reading import Damaged, read_blob, whole_pieces
from headshotly.continuity.stores import Store
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.studio import leaving
from headshotly.studio import services as studio
from headshotly.vault import durable
from headshotly.vault import selectors as vault_contents
from headshotly.vault import services as vault_services
from headshotly.vault import wiring as vault
from headshotly.vault.errors import ObjectMissing, StoreUnavailable
from headshotly.vendors import gate

_WORKERS = 4
_AT_ONCE = 64
_IN_MEMORY = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What shall be restored, and how strict to be.

    Attributes:
        at: the newest backup made at or before this moment; None for the newest of all.
        backup: exactly this one.
        keep_objects: the object store survived; what it holds unchanged stays.
        accept_losses: open the place although something is missing; the journal says so.
        only: regions whose stores may be used; empty for all.
        destroyed_since: what was destroyed at or after this moment comes back all the same, because destroying it was
            the fault that is being repaired; the journal says so. Never anything of an erased customer.
    """

    at: dt.datetime | None = None
    backup: UUID | None = None
    keep_objects: bool = False
    accept_losses: bool = False
    only: tuple[str, ...] = ()
    destroyed_since: dt.datetime | None = None


@dataclass(slots=True)
class Restored:
    """What a restore did; goes into the journal and the drill's record.

    Attributes:
        backup: id of the backup.
        generation: its number.
        moment: what it takes the service back to, ISO 8601.
        objects: how many objects are back, checked against their hashes.
        object_bytes: their bytes.
        keys: how many keys came from the mirror.
        erased: how many erased customers the ledger names.
        erased_again: how many of them the backup had brought back.
        destroyed: how many objects the ledger says were destroyed one by one.
        withheld: ids of those that the backup holds and that did not come back.
        revived: how many came back because the restore was told to undo their destruction.
        entries: how many entries the journal had, verified.
        checkpoint: how many of them the manifest's signed head vouches for.
        superseded: how many entries the witness knows of that the backup does not have.
        migrated: how many migrations the backup's database lacked.
        missing_before: ids that were missing when the backup was made.
        missing: ids of objects that are not back.
        keyless: customers whose data is back and whose key is nowhere, although nobody erased them.
        unopened: ids of keys that no root opens.
        warnings: what else somebody should know.
        seconds: how long it took.
    """

    backup: str = ""
    generation: int = 0
    moment: str = ""
    objects: int = 0
    object_bytes: int = 0
    keys: int = 0
    erased: int = 0
    erased_again: int = 0
    destroyed: int = 0
    withheld: list[str] = field(default_factory=list)
    revived: int = 0
    entries: int = 0
    checkpoint: int = 0
    superseded: int = 0
    migrated: int = 0
    missing_before: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    keyless: list[str] = field(default_factory=list)
    unopened: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def plain(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return asdict(self)

    @property
    def lost(self) -> str:
        """Return what is not restored, in words; empty where everything is."""
        counts = (
            (len(self.missing), "objects are in no store"),
            (len(self.keyless), "customers' keys are in no mirror"),
            (len(self.unopened), "keys are opened by no root key"),
        )
        return "; ".join(f"{count} {what}" for count, what in counts if count)


def used_stores(only: tuple[str, ...]) -> tuple[Store, ...]:
    """Return the stores to restore from.

    Raises:
        NoBackup: a region is named that has no store.
    """
    made = places.stores()
    unknown = set(only) - {store.region for store in made}
    if unknown:
        raise NoBackup(f"There is no backup store in {min(unknown)}.")
    return tuple(store for store in made if not only or store.region in only)


def choose(stores: tuple[Store, ...], wanted: Wanted) -> tuple[Found, list[str]]:
    """Return the backup that is wanted, and what should be said about the choice.

    Raises:
        NoBackup: there is none such.
        KeyServiceUnavailable: the key service does not open the backups' key.
    """
    found = catalogue.look(stores, places.key_service())
    said = [*found.damaged, *(f"{region}: {why}" for region, why in found.silent.items())]
    fitting = [
        one
        for one in found.backups
        if (wanted.backup is None or one.manifest.id == wanted.backup)
        and (wanted.at is None or one.manifest.moment <= wanted.at)
    ]
    if fitting:
        return fitting[0], said
    if wanted.at or wanted.backup:
        raise NoBackup("No store that answered has the backup that is asked for.")
    return catalogue.require_newest(found), said


@enforces("6.2.b")
def restore(wanted: Wanted, progress: Progress) -> Restored:
    """Restore the service into this empty place, and open it at the end.

    Raises:
        PlaceTaken: there is something in the place already.
        NoBackup: no such backup.
        KeyServiceUnavailable: the backups' key does not open with this key service: nothing was touched.
        BackupDamaged: a needed part is missing or damaged in every store.
        DatabaseUnfit: the database in the backup cannot be loaded here.
        JournalDamaged: the journal in the backup is not what its signed heads say.
        RestoreIncomplete: something is missing, and the place stays closed.
        StoreUnavailable: the place could not be written.
    """
    with gate.rebuilding():
        return _Restore(wanted, progress).go()


class _Restore:
    def __init__(self, wanted: Wanted, progress: Progress) -> None:
        self._wanted, self._progress = wanted, progress
        self._report = Restored()
        self._id = uuid4()
        self._gone: set[UUID] = set()

    def go(self) -> Restored:
        began = clock.monotonic()
        self._stores = used_stores(self._wanted.only)
        self._found, self._report.warnings = choose(self._stores, self._wanted)
        contents = self._found.contents()
        self._close_place()
        self._introduce(contents)
        self._ledger()
        self._destructions(contents)
        self._database(contents)
        self._keys()
        self._objects(contents)
        self._erase_again()
        self._destroy_again()
        self._check_journal()
        self._check_whole()
        self._journal()
        marker.lift()
        self._report.seconds = clock.monotonic() - began
        return self._report

    def _close_place(self) -> None:
        """Refuse a place in use, and mark this one as closed; begin anew where an earlier restore was cut short."""
        engine, mark = databases.engine(), marker.present()
        if mark is None:
            taken = engine.occupied()
            if not taken and not self._wanted.keep_objects and _any_object():
                taken = "The object store holds objects already; say --keep-objects where it survived."
            if taken:
                raise PlaceTaken(f"{taken} A backup is restored into an empty place only; nothing was changed.")
        manifest = self._found.manifest
        marker.place({"restore": str(self._id), "backup": manifest.backup, "began_at": clock.now().isoformat()})
        if mark is not None:
            engine.clear()

    def _introduce(self, contents: Contents) -> None:
        manifest, report = self._found.manifest, self._report
        report.backup, report.generation, report.moment = manifest.backup, manifest.generation, manifest.snapshot_at
        report.missing_before = [str(one) for one in contents.missing]
        if manifest.engine != databases.engine().name:
            raise RestoreIncomplete(
                f"The backup is of a {manifest.engine} database, and this place has a {databases.engine().name} one."
            )

    def _ledger(self) -> None:
        """Learn who was erased, before anything of anybody comes back; from every mirror that answers."""
        ledger = vault.erasure_ledger()
        known = ledger.erased()

        def read(store: Store) -> tuple[dict[UUID, dt.datetime | None], dt.datetime | None]:
            return mirroring.read_ledger([store]), mirroring.mirrored_at(store)

        for store, (erased, at) in _from_each(self._stores, read, "its erasure ledger", self._report.warnings):
            if at is None:
                self._report.warnings.append(f"{store.region}: it has no mirror of keys and erasures.")
            for subject, when in erased.items():
                if subject not in known:
                    ledger.note(subject, when or clock.now())
                    known[subject] = when
        self._report.erased = len(known)

    def _destructions(self, contents: Contents) -> None:
        """Learn what was destroyed one by one, and take it over here, before anything comes back."""
        ledger, report = vault.destruction_ledger(), self._report
        what = "its list of what was destroyed"
        lists = _from_each(self._stores, lambda one: mirroring.read_destructions([one]), what, report.warnings)
        for _, told in lists:
            for day, lines in sorted(told.items()):
                if missing := sorted(lines - ledger.lines(day)):
                    ledger.add(day, missing)
        destroyed, since = ledger.destroyed(), self._wanted.destroyed_since
        if since is not None:  # the ledger's own grain: what was destroyed in that very millisecond comes back too
            since = since.replace(microsecond=since.microsecond // 1000 * 1000)
        undone = {one for one, at in destroyed.items() if since is not None and at >= since}
        self._gone = set(destroyed) - undone
        erased = vault.erasure_ledger()
        held = {copy.object_id for copy in contents.objects if not erased.holds(copy.subject)}
        report.destroyed, report.revived = len(destroyed), len(undone & held)
        report.withheld = sorted(str(one) for one in self._gone & held)
        # Said before they are back: a crash here leaves what a second run of this restore would say again.
        ledger.revive(undone & held, clock.now())

    def _database(self, contents: Contents) -> None:
        """Files first: the journal's keys belong to the journal that comes with them."""
        for name, path in local_files.places().items():
            if name in contents.files:
                durable.write(path, [b"".join(self._plain(contents.files[name]))])
        journal_keys.forget()
        for name, part in contents.databases.items():
            databases.engine().load(name, self._told(f"Database {name}", part))
        self._report.migrated = databases.bring_up_to_date(contents.migrations)

    def _told(self, stage: str, part: Piecewise) -> Iterator[bytes]:
        done = 0
        for piece in self._plain(part):
            yield piece
            done += len(piece)
            self._progress(stage, done, part.size)

    def _plain(self, part: Piecewise) -> Iterator[bytes]:
        """Yield the plaintext of a database or file; every piece and the whole are held against their hashes."""
        digest, size, key = hashlib.sha256(), 0, self._found.key
        for chunk in part.chunks:
            piece = sealing.unseal(key, read_blob(self._stores, chunk.blob), purpose=PURPOSE_CHUNK)
            if sealing.chunk_id(key, piece) != chunk.id:
                raise BackupDamaged("A piece of the database in the backup is another piece.")
            digest.update(piece)
            size += len(piece)
            yield piece
        if digest.hexdigest() != part.sha256 or size != part.size:
            raise BackupDamaged("The database in the backup is not whole.")

    def _keys(self) -> None:
        """Join the keys as the mirrors have them now, never as they were when the backup was made."""
        self._report.keys, unusable = join_keys(self._stores, self._report.warnings)
        self._report.unopened = [str(one) for one in unusable]

    def _objects(self, contents: Contents) -> None:
        """Bring back every object that was not destroyed nor its owner erased, each checked against its hash."""
        ledger = vault.erasure_ledger()
        copies = [
            copy for copy in contents.objects if not ledger.holds(copy.subject) and copy.object_id not in self._gone
        ]
        total, done = len(copies), 0
        self._progress("Objects", 0, total)
        with ThreadPoolExecutor(_WORKERS) as pool:
            for batch in batched(copies, _AT_ONCE):
                for copy, back in zip(batch, pool.map(self._bring_back, batch), strict=True):
                    if back:
                        self._report.objects += 1
                        self._report.object_bytes += copy.blob.size
                done += len(batch)
                self._progress("Objects", done, total)

    def _bring_back(self, copy: StoredCopy) -> bool:
        if self._wanted.keep_objects and source_is(copy):
            return True
        return bring_back(self._stores, copy)

    def _erase_again(self) -> None:
        """Delete again whoever was deleted after the backup was made; nobody has been served yet."""
        self._progress("Erasures", 0, 0)
        self._report.erased_again = replay_erasures(actor=SYSTEM)

    def _destroy_again(self) -> None:
        """Remove what still names an object that was destroyed after the backup was made."""
        named = {row.object_id for row in vault_contents.sealed_rows()} & self._gone
        studio.delete_again(actor=SYSTEM, object_ids=named)
        for object_id in sorted(named):
            vault_services.destroy(actor=SYSTEM, object_id=object_id)

    def _check_journal(self) -> None:
        """Hold the journal against its own heads and the manifest's checkpoint; let the witness go on from here."""
        self._progress("Journal", 0, 0)
        size = _restored_size()
        known = [int(note.split("\n", 2)[1]) for note in witnesses.witness().notes()]
        self._report.superseded = max(0, max(known, default=0) - size)
        era = ""
        if self._report.superseded:
            era = f", era {self._id}"
            witnesses.begin_era(str(self._id), up_to=size)
        audit.record(actor=SYSTEM, act=Act.SYSTEM_RESTORED, purpose=f"{self._origin()}{era}")
        while sequence_once():
            pass
        self._report.entries = verification.verify().entries
        note = self._found.manifest.checkpoint
        if note:
            checkpoint = read_checkpoint(note, journal_keys.public_key(), origin=journal_keys.ORIGIN)
            if not verification.holds(checkpoint):
                raise RestoreIncomplete(
                    "The restored journal does not begin with what the manifest's checkpoint covers."
                )
            self._report.checkpoint = checkpoint.size

    def _origin(self) -> str:
        manifest = self._found.manifest
        revived = f", {self._report.revived} destroyed objects were brought back" if self._report.revived else ""
        return (
            f"backup {manifest.backup} of {manifest.snapshot_at}, {self._report.superseded} entries were lost{revived}"
        )

    def _check_whole(self) -> None:
        """Look for everything the database names: each object, and a key for each owner."""
        self._progress("Checks", 0, 0)
        rows, report = vault_contents.sealed_rows(), self._report
        here = {one for _, one in vault.object_store().objects(before=EVER)}
        before = set(report.missing_before)
        absent = [str(row.object_id) for row in rows if row.object_id not in here]
        report.missing = [one for one in absent if one not in before]
        owners = {row.subject for row in rows}
        report.keyless = sorted(str(owner) for owner in owners if not vault_contents.has_key(owner))
        report.unopened = sorted({*report.unopened, *(str(one) for one in vault_contents.unwrappable())})
        if report.lost and not self._wanted.accept_losses:
            raise RestoreIncomplete(
                f"The place stays closed: {report.lost}. Bring back what is missing and run the restore again, "
                "or say --accept-losses, which the journal records."
            )

    def _journal(self) -> None:
        """Finish the record of the backup itself, which the copy of the database still calls running."""
        manifest, report = self._found.manifest, self._report
        BackupRecord.objects.filter(state=BackupState.RUNNING).exclude(id=manifest.id).update(
            state=BackupState.FAILED, sentence="It was running when the system was lost.", ended_at=clock.now()
        )
        BackupRecord.objects.filter(id=manifest.id).update(
            state=BackupState.COMPLETE,
            generation=manifest.generation,
            snapshot_at=manifest.moment,
            ended_at=clock.now(),
            held_by=sorted(store.region for store in self._found.stores),
            object_count=manifest.objects,
            object_bytes=manifest.object_bytes,
            database_bytes=manifest.database_bytes,
            sentence="The system was restored from it.",
        )
        if report.lost:
            audit.record(actor=SYSTEM, act=Act.SYSTEM_RESTORED, purpose=f"losses accepted: {report.lost}")


def _restored_size() -> int:
    head = journal.latest_checkpoint()
    return head.size if head else 0


def _any_object() -> bool:
    return next(iter(vault.object_store().objects(before=EVER)), None) is not None


def source_is(copy: StoredCopy) -> bool:
    """Say whether the object store holds an object exactly as a backup has it."""
    try:
        file = vault.object_store().open(copy.subject, copy.object_id)
    except ObjectMissing:
        return False
    try:
        if file.size != copy.blob.size:
            return False
        digest = hashlib.sha256()
        for at in range(0, file.size, 1 << 20):
            digest.update(file.view(at, 1 << 20))
        return digest.digest() == copy.blob.digest
    finally:
        file.close()


def bring_back(stores: tuple[Store, ...], copy: StoredCopy) -> bool:
    """Write an object into the object store; return False where no backup store has it whole.

    Raises:
        StoreUnavailable: the object store failed.
    """
    try:
        pieces = whole_pieces(stores, copy.blob, in_memory=_IN_MEMORY)
        vault.object_store().write(copy.subject, copy.object_id, pieces)
    except Damaged:
        return False
    return True


def _from_each[Told](
    stores: Iterable[Store], read: Callable[[Store], Told], what: str, warnings: list[str]
) -> Iterator[tuple[Store, Told]]:
    """Yield each store with what its mirror tells; one that does not answer is passed over with a warning."""
    for store in stores:
        try:
            told = read(store)
        except StoreUnavailable as error:
            warnings.append(f"{store.region}: {what} could not be read. {error.sentence}")
            continue
        yield store, told


def join_keys(stores: tuple[Store, ...], warnings: list[str]) -> tuple[int, list[UUID]]:
    """Take into the key store every key the mirrors hold of whoever is not erased.

    Args:
        stores: whose mirrors.
        warnings: gets a sentence for each mirror that does not answer.

    Returns:
        How many keys were added, and the ids of those that nothing opens.

    Raises:
        StoreUnavailable: the key store failed.
    """
    store, ledger = vault.key_store(), vault.erasure_ledger()
    found: dict[UUID, list[bytes]] = {}
    for _, told in _from_each(stores, lambda one: mirroring.read_keys([one]), "its mirror of the keys", warnings):
        for key_id, blobs in told.items():
            found[key_id] = [*found.get(key_id, []), *(blob for blob in blobs if blob not in found.get(key_id, []))]
    added, unusable = 0, []
    for key_id, blobs in sorted(found.items()):
        if ledger.holds(key_id) or store.get(key_id) is not None:
            continue
        if _add_usable(key_id, blobs):
            added += 1
        else:
            unusable.append(key_id)
    return added, unusable


def _add_usable(key_id: UUID, blobs: list[bytes]) -> bool:
    """Keep the first wrapping that opens. A crash leaves one that may not, which the next run replaces or reports."""
    store = vault.key_store()
    for blob in blobs:
        store.add(key_id, blob)
        if vault_contents.key_opens(key_id):
            return True
        store.delete(key_id)
    return False


@enforces("1.2.c", "6.2.b")
def replay_erasures(*, actor: Actor) -> int:
    """Delete again everything of whoever the ledger names, in every room; return how many had come back."""
    again = 0
    for subject in sorted(vault.erasure_ledger().erased()):
        if accounts.customer(subject) is not None or vault_contents.objects_of(subject):
            studio.delete_everything(actor=actor, subject=subject)
            again += 1
        # Rows that stay without an account, such as a request that a visitor made.
        with transaction.atomic():
            leaving.erase_above(subject)
    return again + vault_services.replay_erasures(actor=actor)
