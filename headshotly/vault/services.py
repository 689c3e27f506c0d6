"""The vault's verbs. ``open`` and its siblings are the only way from ciphertext to plaintext."""

import datetime as dt
import hmac
import itertools
from collections.abc import Buffer, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction
from django.db.models import UUIDField

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.policy.prepared import Prepared
from headshotly.policy.tracing import traced
from headshotly.vault import (
    customer_keys,
    envelope,
    field_sealing,
    holds,
    minting,
    receipt,
    service_secrets,
    streaming,
    subject_lock,
    wiring,
    wrapped_keys,
)
from headshotly.vault.errors import (
    ErasureIncomplete,
    ForeignObject,
    KeyShredded,
    ObjectMissing,
    StoreUnavailable,
    WarrantRefused,
)
from headshotly.vault.models import DeletionReceipt, StoredObject
from headshotly.vault.receipt import Receipt
from headshotly.vault.warrant import Warrant

blind_index = field_sealing.blind_index
blind_indexes = field_sealing.blind_indexes

# A write takes less than this from its first byte to the commit of its row; only older leftovers are swept.
GRACE = dt.timedelta(hours=1)
_BATCH = 500
_NOTHING = "There is nothing here."
_OBJECT = Prepared(lambda one: StoredObject.objects.filter(id=one), one=UUIDField())


def create_customer_key(*, actor: Actor, subject: UUID) -> None:
    """Make a customer's key, unless there is one. A crash afterwards leaves a key nobody uses, which opens nothing.

    Raises:
        KeyShredded: the subject was erased; a pseudonym is never used again.
        KeyServiceUnavailable: the key service did not answer.
        StoreUnavailable: the key store did not answer.
    """
    if customer_keys.create(subject):
        audit.record(actor=actor, act=Act.KEY_CREATED, subject=subject)


@dataclass(frozen=True, slots=True)
class Written:
    """An object whose bytes are kept and that no row names yet: ``enter`` it soon, or ``discard`` it.

    Attributes:
        object_id: the object's id.
        subject: whose it is.
        kind: what it is, such as ``photo``.
        purpose: the activity it serves; bound into the ciphertext.
        sealed_bytes: length of what is kept.
    """

    object_id: UUID
    subject: UUID
    kind: str
    purpose: str
    sealed_bytes: int


@traced("vault.seal")
def seal(*, actor: Actor, subject: UUID, kind: str, purpose: str, plaintext: Buffer) -> UUID:
    """Seal bytes under the customer's key and keep them; arguments, result and errors as ``seal_stream``.

    Writing takes as long as the disk does, so not within a transaction: ``write_sealed`` before it, ``enter`` in it.
    """
    return _seal(actor, _write(subject, kind, purpose, streaming.pieces_of(plaintext)))


@traced("vault.seal")
def seal_stream(*, actor: Actor, subject: UUID, kind: str, purpose: str, source: BinaryIO) -> UUID:
    """Seal a stream under the customer's key and keep it, in bounded memory.

    Args:
        actor: who brings it.
        subject: whose it is.
        kind: what it is, such as ``photo``.
        purpose: the activity it serves; bound into the ciphertext.
        source: the plaintext, read to its end.

    Returns:
        The object's id.

    Raises:
        KeyShredded: the customer has no key, or lost it meanwhile; nothing is kept.
        StoreFull: there is no room; nothing is kept.
        StoreUnavailable: the store failed; what it may have kept, no row names and a sweep removes.
    """
    return _seal(actor, _write(subject, kind, purpose, streaming.pieces_from(source)))


def _seal(actor: Actor, written: Written) -> UUID:
    with transaction.atomic():
        enter(written, actor=actor)
    return written.object_id


@traced("vault.seal")
def write_sealed(*, subject: UUID, kind: str, purpose: str, plaintext: Buffer) -> Written:
    """Seal bytes and write them, before a transaction; arguments and errors as ``seal_stream``.

    A crash before the transaction that enters them commits leaves ciphertext that no row names, as a rollback does;
    ``sweep_orphans`` removes it.
    """
    return _write(subject, kind, purpose, streaming.pieces_of(plaintext))


@enforces("3.2.a")
def _write(subject: UUID, kind: str, purpose: str, pieces: Iterator[memoryview] | Iterator[bytes]) -> Written:
    object_id = uuid4()
    data_key, header = envelope.make(
        owner=subject, object_id=object_id, purpose=purpose, customer_key=customer_keys.plain(subject)
    )
    body = streaming.seal(pieces, data_key, header)
    length = wiring.object_store().write(subject, object_id, itertools.chain([header], body))
    written = Written(object_id, subject, kind, purpose, length)
    # Shredding destroys the key before it removes bytes: with the key still there, it will find these too.
    _require_key(subject, [written])
    return written


def _require_key(subject: UUID, written: Sequence[Written]) -> None:
    """Pass while the subject has a key; otherwise remove what was written."""
    if not customer_keys.exists(subject):
        for one in written:
            wiring.object_store().delete(subject, one.object_id)
        raise KeyShredded("This customer was deleted meanwhile; nothing was kept.")


@enforces("3.2.a", "5.3.a")
def enter(*written: Written, actor: Actor) -> None:
    """Name written objects: a row and an entry in the journal each, in the caller's transaction.

    The key is looked for once more, because customers may be deleted between the writing and the transaction. A
    deletion which did not come before it waits for the transaction to end, and finds its rows (``subject_lock``).

    Args:
        written: what ``write_sealed`` returned, all of one subject.
        actor: who brings them.

    Raises:
        KeyShredded: the customer lost the key meanwhile; the bytes are gone, and the caller rolls back.
        StoreUnavailable: the key store did not answer.
        TransactionManagementError: there is no transaction, so that a crash might part the rows from the caller's.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("objects are entered within a transaction")
    for subject in {one.subject for one in written}:
        subject_lock.share(subject)
        _require_key(subject, [one for one in written if one.subject == subject])
    for one in written:
        StoredObject.objects.create(
            id=one.object_id,
            subject=one.subject,
            kind=one.kind,
            purpose=one.purpose,
            sealed_bytes=one.sealed_bytes,
            sealed_at=clock.now(),
        )
        audit.record(
            actor=actor,
            act=Act.OBJECT_SEALED,
            subject=one.subject,
            purpose=one.purpose,
            object_ids=[one.object_id],
        )


def require_living(subject: UUID) -> None:
    """Pass while the subject has a key; a deletion that begins now waits until the caller's transaction has ended.

    For rows above the vault that name a subject: whoever deletes everything then finds them.

    Raises:
        KeyShredded: the customer was deleted; the caller rolls back.
        StoreUnavailable: the key store did not answer.
        TransactionManagementError: there is no transaction that could be waited for.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("a subject is held within a transaction")
    subject_lock.share(subject)
    _require_key(subject, ())


def discard(*written: Written) -> None:
    """Remove what was written and, after a rollback, is not wanted; what a row names after all stays.

    A crash before or within leaves bytes that ``sweep_orphans`` removes.

    Raises:
        StoreUnavailable: the store failed; a sweep goes on.
    """
    _remove_unnamed((one.subject, one.object_id) for one in written)


@traced("vault.open")
def open(  # noqa: A001 - the plan's name for the only way in
    *, object_id: UUID, warrant: Warrant, also: Sequence[Act] = ()
) -> bytes:
    """Return an object's plaintext, after the journal durably says who opened it and why.

    Args:
        object_id: which object.
        warrant: permission; must name the object's owner.
        also: what else the opening is, such as a download; an entry each, durable in the same commit.

    Raises:
        WarrantRefused: the warrant is forged, expired or for another subject; the refusal is journalled.
        ObjectMissing: nothing is kept under this id.
        JournalUnavailable: the entry could not be written, so nothing was unwrapped.
        KeyShredded: the owner's key is gone.
        ObjectDamaged: the bytes are not what was sealed.
        StoreUnavailable: a store did not answer.
    """
    with closing(_disclose(object_id, warrant, also)) as disclosed:
        return disclosed.opener.read_all()


@traced("vault.open")
def open_range(*, object_id: UUID, warrant: Warrant, start: int, length: int) -> bytes:
    """Return part of an object's plaintext; the whole's length is authenticated first. Raises as ``open`` does."""
    with closing(_disclose(object_id, warrant)) as disclosed:
        return disclosed.opener.read_range(start, length)


class Plaintext:
    """An object's plaintext, segment by segment, in bounded memory. Close it, or read it to its end."""

    def __init__(self, disclosed: "_Disclosed") -> None:
        self._disclosed = disclosed
        self._pieces = disclosed.opener.pieces()
        self.length = disclosed.opener.plain_length

    def __iter__(self) -> Iterator[bytes]:
        with closing(self):
            yield from self._pieces

    def close(self) -> None:
        """Let go of the stored file."""
        self._disclosed.close()


@traced("vault.open")
def open_stream(*, object_id: UUID, warrant: Warrant) -> Plaintext:
    """Return an object's plaintext as a stream whose length is authenticated already.

    Raises as ``open`` does; while it is read, ``ObjectDamaged`` where a segment is not what was sealed.
    """
    disclosed = _disclose(object_id, warrant)
    try:
        return Plaintext(disclosed)
    except BaseException:
        disclosed.close()
        raise


class _Disclosed:
    """An object whose opening is in the journal: the stored file and what reads it."""

    def __init__(self, row: StoredObject) -> None:
        self._file = wiring.object_store().open(row.subject, row.id)
        try:
            header = envelope.read(bytes(self._file.view(0, envelope.LONGEST)))
            data_key = envelope.unwrap(
                header,
                owner=row.subject,
                object_id=row.id,
                purpose=row.purpose,
                customer_key=customer_keys.plain(row.subject),
            )
            self.opener = streaming.Opener(self._file, start=len(header.raw), data_key=data_key, associated=header.raw)
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        self._file.close()


@enforces("5.3.a")
def _disclose(object_id: UUID, warrant: Warrant, also: Sequence[Act] = ()) -> _Disclosed:
    """Check the warrant, write the entry durably, and only then touch a key."""
    row = _OBJECT.one(one=object_id)
    # An unknown object and somebody else's give the same answer and the same journal entry.
    _require(warrant, subject=row.subject if row else None, object_id=object_id)
    if row is None:
        _refuse(warrant, object_id=object_id)
        raise ObjectMissing(_NOTHING)
    audit.record_durably(
        actor=warrant.actor,
        act=Act.OBJECT_OPENED,
        subject=row.subject,
        purpose=warrant.purpose,
        warrant_id=warrant.id,
        object_ids=[object_id],
        also=also,
    )
    return _Disclosed(row)


def _refuse(warrant: Warrant, *, object_id: UUID | None) -> None:
    audit.record_durably(
        actor=warrant.actor,
        act=Act.WARRANT_REFUSED,
        subject=warrant.subject,
        purpose=warrant.purpose,
        warrant_id=warrant.id,
        object_ids=[object_id] if object_id else [],
        outcome=Outcome.REFUSED,
    )


@enforces("5.1.a", "2.4.c")
def _require(warrant: Warrant, *, subject: UUID | None, object_id: UUID | None) -> None:
    """Pass only with a genuine, current warrant for this subject; journal the refusal otherwise.

    Without a subject the object is not known, and only the warrant itself is judged.
    """
    genuine = hmac.compare_digest(warrant.mac, minting.seal_of(warrant))
    if not (genuine and clock.now() < warrant.expires_at):
        _refuse(warrant, object_id=object_id)
        raise WarrantRefused("You are not allowed to open this.")
    if subject is not None and warrant.subject != subject:
        _refuse(warrant, object_id=object_id)
        raise ForeignObject(_NOTHING)
    if holds.stops(warrant):
        _refuse(warrant, object_id=object_id)
        holds.require_free(warrant)


@enforces("3.2.a")
def seal_field(*, subject: UUID, field: str, text: str) -> bytes:
    """Return a personal field's text sealed under the customer's key, for a model's column.

    Raises:
        KeyShredded: the customer has no key.
    """
    return field_sealing.seal(text, subject=subject, field=field, customer_key=customer_keys.plain(subject))


@enforces("5.3.a")
def open_field(*, subject: UUID, field: str, sealed: bytes, warrant: Warrant) -> str:
    """Return a personal field's text, after the journal durably says who opened it. Raises as ``open`` does."""
    _require(warrant, subject=subject, object_id=None)
    audit.record_durably(
        actor=warrant.actor,
        act=Act.FIELD_OPENED,
        subject=subject,
        purpose=f"{warrant.purpose}: {field}",
        warrant_id=warrant.id,
    )
    return field_sealing.unseal(sealed, subject=subject, field=field, customer_key=customer_keys.plain(subject))


def renew_blind_index(*, actor: Actor) -> None:
    """Put a new key of the blind index in force; the older ones still find what was written with them.

    Look-ups use ``blind_indexes``. When every row was written anew, ``drop_older_blind_indexes`` ends it.
    """
    service_secrets.renew("blind-index")
    audit.record(actor=actor, act=Act.ROOT_ROTATED, purpose="blind index: new key")


def drop_older_blind_indexes(*, actor: Actor) -> None:
    """Forget every key of the blind index but the newest; rows indexed with an older one are found no more."""
    service_secrets.drop_older("blind-index")
    audit.record(actor=actor, act=Act.ROOT_ROTATED, purpose="blind index: older keys dropped")


def destroy(*, actor: Actor, object_id: UUID) -> None:
    """Remove one object with its wrapped key: noted first, so that no older backup revives it, then bytes, then row.

    A crash after the note leaves the object, which a restore would leave out; one after that, or a rollback of the
    caller, a row without bytes. Repeating finishes.

    Raises:
        ErasureIncomplete: the store says it is gone and still finds it.
        StoreUnavailable: it could not be noted, or the bytes may still be there; nothing claims otherwise.
    """
    row = StoredObject.objects.filter(id=object_id).first()
    if row is None:
        return
    wiring.destruction_ledger().note({object_id: clock.now()})
    store = wiring.object_store()
    store.delete(row.subject, object_id)
    if store.holds(row.subject, object_id):
        raise ErasureIncomplete("This could not be deleted yet. We keep trying; please look again soon.")
    with transaction.atomic():
        # Whoever destroyed it at the same time has said so already.
        if StoredObject.objects.filter(id=object_id).delete()[0]:
            audit.record(
                actor=actor,
                act=Act.OBJECT_DESTROYED,
                subject=row.subject,
                purpose=row.purpose,
                object_ids=[object_id],
            )


def finish_destructions(*, actor: Actor) -> int:
    """Finish what a crash or a failing store left half-destroyed: rows of objects noted as destroyed, or of the erased.

    What is missing and was never to be destroyed is not touched: that is a loss, and comes back from a backup.

    Returns:
        For how many objects and customers something was left.

    Raises:
        ErasureIncomplete: something is still reachable; call again.
        StoreUnavailable: a store failed; call again.
    """
    finished = 0
    for batch in itertools.batched(wiring.destruction_ledger().destroyed(), _BATCH):
        for object_id in list(StoredObject.objects.filter(id__in=batch).values_list("id", flat=True)):
            destroy(actor=actor, object_id=object_id)
            finished += 1
    # An erasure under way takes seconds, and goes on by itself where it failed.
    long_ago = clock.now() - GRACE
    over = [subject for subject, at in wiring.erasure_ledger().erased().items() if at is None or at < long_ago]
    for some in itertools.batched(over, _BATCH):
        for subject in list(StoredObject.objects.filter(subject__in=some).values_list("subject", flat=True).distinct()):
            shred(actor=actor, subject=subject)
            finished += 1
    return finished


@enforces("3.2.b")
def shred_key(*, actor: Actor, subject: UUID) -> None:
    """Destroy a customer's key: one step, however many photos there are.

    The journal comes first, durably, because no rollback of the caller brings a key back; a crash after it leaves an
    entry too many, and a customer who asks again. Then the ledger: from that line on nothing of the customer opens,
    also where a crash leaves the key.

    Raises:
        StoreUnavailable: a replica may still hold the key, shut by the ledger; call again.
    """
    ledger = wiring.erasure_ledger()
    if not ledger.holds(subject):
        audit.record_durably(actor=actor, act=Act.KEY_SHREDDED, subject=subject)
        ledger.note(subject, clock.now())
    customer_keys.destroy(subject)


@enforces("1.2.c")
def shred(*, actor: Actor, subject: UUID, kept: Sequence[str] = ()) -> Receipt:
    """Destroy everything of a customer and return the signed receipt.

    The rows that name the objects go last and together with the receipt's own row, so that after a crash anywhere
    a second call finds what is left to do, or the receipt.

    Args:
        actor: who asked.
        subject: whose data.
        kept: what a law keeps elsewhere, one sentence each; named in the receipt.

    Returns:
        The receipt; see ``docs/formats/receipt.md``. A second call returns the same one.

    Raises:
        ErasureIncomplete: a byte or a key replica is still reachable; call again.
        StoreUnavailable: a store failed; call again.
    """
    shred_key(actor=actor, subject=subject)
    subject_lock.wait_for_others(subject)
    store = wiring.object_store()
    store.delete_all(subject)
    if store.remnants(subject) or wiring.key_store().replicas(subject):
        raise ErasureIncomplete(
            "Your key is being destroyed, but not everything is gone yet. We keep trying; please look again soon."
        )
    rows = list(StoredObject.objects.filter(subject=subject).order_by("sealed_at", "id"))
    earlier = DeletionReceipt.objects.filter(subject=subject).first()
    if earlier is not None and not rows:
        known: Receipt = earlier.document
        return known
    return _certify(actor, subject, rows, earlier, kept)


def _certify(
    actor: Actor, subject: UUID, rows: list[StoredObject], earlier: DeletionReceipt | None, kept: Sequence[str]
) -> Receipt:
    """Journal every destruction, drop the rows and keep the receipt, in one transaction.

    A row that appeared after an earlier receipt was written by a seal that the shredding overtook; its bytes are
    gone, and the new receipt names the objects of both.
    """
    now = clock.now()
    named = [{"id": str(row.id), "kind": row.kind, "sealed_bytes": row.sealed_bytes} for row in rows]
    before = earlier.document["statement"]["objects"] if earlier else []
    statement: dict[str, object] = {
        "subject": str(subject),
        "erased_at": now.isoformat(timespec="seconds"),
        "key": "destroyed in every replica of the key store; nothing that was sealed with it can be opened",
        "looked_in": [f"object store: {wiring.object_store().name}", "key store: every replica", "erasure ledger"],
        "objects": [*before, *({**one, "found_again": False, "readable": False} for one in named)],
        "backups": "copies in older backups are ciphertext under the destroyed key and cannot be opened",
    }
    if kept:
        statement["kept_by_law"] = list(kept)
    document = receipt.sign(statement, _receipt_key())
    with transaction.atomic():
        for batch in itertools.batched(rows, _BATCH):
            audit.record(actor=actor, act=Act.OBJECT_DESTROYED, subject=subject, object_ids=[row.id for row in batch])
            StoredObject.objects.filter(id__in=[row.id for row in batch]).delete()
        DeletionReceipt.objects.update_or_create(subject=subject, defaults={"document": document, "issued_at": now})
    return document


def _receipt_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(service_secrets.secret("receipts"))


def receipt_public_key() -> str:
    """Return the key that checks our deletion receipts, base64; it is published on the trust page."""
    return receipt.public_key(_receipt_key())


def replay_erasures(*, actor: Actor) -> int:
    """Shred again whoever the ledger names and a restored backup brought back; run it before serving anybody.

    Returns:
        For how many customers something was found.

    Raises:
        ErasureIncomplete: something is still reachable; call again.
        StoreUnavailable: a store failed; call again.
    """
    store, keys = wiring.object_store(), wiring.key_store()
    found = 0
    for subject in wiring.erasure_ledger().erased():
        rows = StoredObject.objects.filter(subject=subject).exists()
        if rows or keys.replicas(subject) or store.remnants(subject):
            shred(actor=actor, subject=subject)
            found += 1
    return found


def sweep_orphans(*, older_than: dt.timedelta = GRACE) -> int:
    """Remove stored bytes that no row names, left by a crash or a rollback between writing and committing.

    Args:
        older_than: younger bytes stay, for their row may be about to be committed.

    Returns:
        How many objects and unfinished writes were removed.

    Raises:
        StoreUnavailable: the store failed; call again.
    """
    store = wiring.object_store()
    before = clock.now() - older_than
    removed = store.sweep(before=before)
    for batch in itertools.batched(store.objects(before=before), _BATCH):
        removed += _remove_unnamed(batch)
    return removed


def _remove_unnamed(kept: Iterable[tuple[UUID, UUID]]) -> int:
    pairs = list(kept)
    named = set(StoredObject.objects.filter(id__in=[one for _, one in pairs]).values_list("id", flat=True))
    unnamed = [(subject, object_id) for subject, object_id in pairs if object_id not in named]
    for subject, object_id in unnamed:
        wiring.object_store().delete(subject, object_id)
    return len(unnamed)


def repair_key_replicas() -> int:
    """Copy keys to the replicas that lost them, except of whoever was erased; return how many copies were made.

    Raises:
        StoreUnavailable: the key store failed; call again.
    """
    store, ledger = wiring.key_store(), wiring.erasure_ledger()
    return sum(store.repair(key_id) for key_id in list(store.ids()) if not ledger.holds(key_id))


def forget_plaintext_keys() -> None:
    """Drop every plaintext key this process remembers, for instance before it forks or sleeps."""
    wrapped_keys.flush()


__all__ = [
    "Plaintext",
    "StoreUnavailable",
    "Written",
    "blind_index",
    "blind_indexes",
    "create_customer_key",
    "destroy",
    "discard",
    "drop_older_blind_indexes",
    "enter",
    "finish_destructions",
    "forget_plaintext_keys",
    "open",
    "open_field",
    "open_range",
    "open_stream",
    "receipt_public_key",
    "renew_blind_index",
    "repair_key_replicas",
    "replay_erasures",
    "require_living",
    "seal",
    "seal_field",
    "seal_stream",
    "shred",
    "shred_key",
    "sweep_orphans",
    "write_sealed",
]
