"""The vault's verbs. ``open`` is the only way from ciphertext to plaintext."""

import hmac
import io
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import BinaryIO
from uuid import UUID, uuid4

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vault import customer_keys, envelope, erasures, fields, minting, receipt, streaming, wiring
from headshotly.vault.errors import ErasureIncomplete, KeyShredded, ObjectMissing, WarrantRefused
from headshotly.vault.models import StoredObject
from headshotly.vault.receipt import Receipt
from headshotly.vault.warrant import Warrant

blind_index = fields.blind_index


def create_customer_key(*, actor: Actor, subject: UUID) -> None:
    """Make a customer's key. A crash afterwards leaves a key nobody uses, which opens nothing.

    Raises:
        KeyShredded: the subject was erased; a pseudonym is never used again.
    """
    if subject in erasures.erased():
        raise KeyShredded("This customer was erased and cannot come back under the same pseudonym.")
    customer_keys.create(subject)
    audit.record(actor=actor, act=Act.KEY_CREATED, subject=subject)


@enforces("3.2.a")
def seal(*, actor: Actor, subject: UUID, kind: str, purpose: str, plaintext: bytes) -> UUID:
    """Seal bytes under the customer's key and keep them; see ``seal_stream``."""
    source = io.BytesIO(plaintext)
    return seal_stream(actor=actor, subject=subject, kind=kind, purpose=purpose, source=source)


@enforces("3.2.a")
def seal_stream(*, actor: Actor, subject: UUID, kind: str, purpose: str, source: BinaryIO) -> UUID:
    """Seal a stream under the customer's key and keep it, in bounded memory.

    A crash after the bytes are written and before the caller's transaction commits leaves ciphertext that no row
    names; ``sweep_orphans`` removes it.

    Args:
        actor: who brings it.
        subject: whose it is.
        kind: what it is, such as ``photo``.
        purpose: the activity it serves; bound into the ciphertext.
        source: the plaintext, read to its end.

    Returns:
        The object's id.

    Raises:
        KeyShredded: the customer has no key.
        StoreFull: there is no room; nothing is kept.
        StoreUnavailable: the store failed; nothing is kept.
    """
    object_id = uuid4()
    data_key, header = envelope.make(
        owner=subject, object_id=object_id, purpose=purpose, customer_key=customer_keys.plain(subject)
    )
    pieces = _chain(header, streaming.seal(source, data_key, header))
    written = wiring.object_store().write(subject, object_id, pieces)
    with transaction.atomic():
        StoredObject.objects.create(
            id=object_id,
            subject=subject,
            kind=kind,
            purpose=purpose,
            sealed_bytes=written,
            sealed_at=clock.now(),
        )
        audit.record(actor=actor, act=Act.OBJECT_SEALED, subject=subject, purpose=purpose, object_ids=[object_id])
    return object_id


def _chain(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


@enforces("5.3.a")
def open(*, object_id: UUID, warrant: Warrant) -> bytes:  # noqa: A001 - the plan's name for the only way in
    """Return an object's plaintext, after the journal durably says who opened it and why.

    Args:
        object_id: which object.
        warrant: permission; must name the object's owner.

    Raises:
        WarrantRefused: the warrant is forged, expired or for another subject; the refusal is journalled.
        ObjectMissing: nothing is kept under this id.
        JournalUnavailable: the entry could not be written, so nothing was unwrapped.
        KeyShredded: the owner's key is gone.
        ObjectDamaged: the bytes are not what was sealed.
    """
    with closing(_body(object_id, warrant)) as body:
        return b"".join(body.opener.pieces())


@enforces("5.3.a")
def open_range(*, object_id: UUID, warrant: Warrant, start: int, length: int) -> bytes:
    """Return part of an object's plaintext; its length is authenticated first. Raises as ``open`` does."""
    with closing(_body(object_id, warrant)) as body:
        return body.opener.read_range(start, length)


class _Body:
    """An opened file and the opener that reads it."""

    def __init__(self, file: BinaryIO, opener: streaming.Opener) -> None:
        self._file = file
        self.opener = opener

    def close(self) -> None:
        self._file.close()


def _body(object_id: UUID, warrant: Warrant) -> _Body:
    row = StoredObject.objects.filter(id=object_id).first()
    # An unknown object and somebody else's give the same answer and the same journal entry.
    if row is None:
        _refuse(warrant, object_id=object_id)
        raise ObjectMissing("There is nothing here.")
    _require(warrant, subject=row.subject, object_id=object_id)
    audit.record_durably(
        actor=warrant.actor,
        act=Act.OBJECT_OPENED,
        subject=row.subject,
        purpose=warrant.purpose,
        warrant_id=warrant.id,
        object_ids=[object_id],
    )
    customer_key = customer_keys.plain(row.subject)
    file = wiring.object_store().open(row.subject, object_id)
    try:
        header = envelope.read(file)
        data_key = envelope.unwrap(
            header, owner=row.subject, object_id=object_id, purpose=row.purpose, customer_key=customer_key
        )
        start = len(header.raw)
        length = file.seek(0, io.SEEK_END) - start
        opener = streaming.Opener(file, start=start, length=length, data_key=data_key, associated=header.raw)
    except BaseException:
        file.close()
        raise
    return _Body(file, opener)


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
def _require(warrant: Warrant, *, subject: UUID, object_id: UUID | None) -> None:
    """Pass only with a genuine, current warrant for this subject; journal the refusal otherwise."""
    genuine = hmac.compare_digest(warrant.mac, minting.seal_of(warrant))
    if not (genuine and warrant.subject == subject and clock.now() < warrant.expires_at):
        _refuse(warrant, object_id=object_id)
        raise WarrantRefused("You are not allowed to open this.")


@enforces("3.2.a")
def seal_field(*, subject: UUID, field: str, text: str) -> bytes:
    """Return a personal field's text sealed under the customer's key, for a model's column.

    Raises:
        KeyShredded: the customer has no key.
    """
    return fields.seal(text, subject=subject, field=field, customer_key=customer_keys.plain(subject))


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
    return fields.unseal(sealed, subject=subject, field=field, customer_key=customer_keys.plain(subject))


def destroy(*, actor: Actor, object_id: UUID) -> None:
    """Remove one object, bytes first: a crash in between leaves a row without bytes, and repeating finishes.

    Raises:
        StoreUnavailable: the bytes may still be there; nothing claims otherwise.
    """
    row = StoredObject.objects.filter(id=object_id).first()
    if row is None:
        return
    wiring.object_store().delete(row.subject, object_id)
    with transaction.atomic():
        audit.record(
            actor=actor,
            act=Act.OBJECT_DESTROYED,
            subject=row.subject,
            purpose=row.purpose,
            object_ids=[object_id],
        )
        row.delete()


@enforces("3.2.b")
def shred_key(*, actor: Actor, subject: UUID) -> None:
    """Destroy a customer's key: one step, however many photos there are.

    The ledger is written first. A crash after it leaves a customer who is marked as erased and still has a key;
    repeating goes on, and a restored backup erases them anyway.
    """
    erasures.note(subject, clock.now())
    audit.record(actor=actor, act=Act.KEY_SHREDDED, subject=subject)
    customer_keys.destroy(subject)


@enforces("1.2.c")
def shred(*, actor: Actor, subject: UUID) -> Receipt:
    """Destroy everything of a customer and return the signed receipt.

    The rows that name the objects go last, so that after a crash anywhere a second call finds what is left.

    Args:
        actor: who asked.
        subject: whose data.

    Returns:
        The receipt; see ``docs/formats/receipt.md``.

    Raises:
        ErasureIncomplete: a byte or a key replica is still reachable; call again.
        StoreUnavailable: a store failed; call again.
    """
    shred_key(actor=actor, subject=subject)
    rows = list(StoredObject.objects.filter(subject=subject).order_by("sealed_at", "id"))
    store, keys = wiring.object_store(), wiring.key_store()
    store.delete_all(subject)
    left = [row.id for row in rows if store.holds(subject, row.id)]
    replicas = keys.replicas_holding(subject)
    if left or replicas:
        raise ErasureIncomplete(
            "Your key is being destroyed, but not everything is gone yet. We keep trying; please look again soon."
        )
    with transaction.atomic():
        for row in rows:
            audit.record(
                actor=actor,
                act=Act.OBJECT_DESTROYED,
                subject=subject,
                purpose=row.purpose,
                object_ids=[row.id],
            )
        StoredObject.objects.filter(subject=subject).delete()
    return receipt.sign(_statement(subject, rows, store.name))


def _statement(subject: UUID, rows: list[StoredObject], store: str) -> dict[str, object]:
    return {
        "subject": str(subject),
        "erased_at": clock.now().isoformat(timespec="seconds"),
        "key": "destroyed in every replica of the key store",
        "looked_in": [f"object store ({store})", "key store, every replica", "database"],
        "objects": [
            {"id": str(row.id), "kind": row.kind, "sealed_bytes": row.sealed_bytes, "found_again": False}
            for row in rows
        ],
        "backups": "copies in older backups are ciphertext under the destroyed key and cannot be opened",
    }


def sweep_orphans() -> int:
    """Remove stored bytes that no row names, left by a crash between writing and committing.

    Returns:
        How many objects were removed.
    """
    store = wiring.object_store()
    removed = 0
    for subject, object_id in store.objects():
        if not StoredObject.objects.filter(id=object_id).exists():
            store.delete(subject, object_id)
            removed += 1
    return removed
