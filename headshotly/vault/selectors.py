"""Reading what the vault keeps, for checks and pages; nothing here opens anything."""

import datetime as dt
import heapq
import itertools
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from headshotly.vault import customer_keys, envelope, rotation, service_secrets, wiring, wrapped_keys
from headshotly.vault.errors import KeyShredded, ObjectDamaged, ObjectMissing
from headshotly.vault.models import DeletionReceipt, StoredObject

_BATCH = 500


@dataclass(frozen=True, slots=True)
class KeysState:
    """The state of the key hierarchy.

    Attributes:
        current_root: id of the root that wraps.
        roots: every root that is not retired: id → when it was made, ISO 8601.
        keys: how many customer keys the key store holds.
        stale: how many keys, secrets included, are still wrapped under an older root in some replica.
        incomplete: how many keys are missing from some replica.
        erased_held: how many erased customers the key store still holds a key of.
        erased: how many customers the ledger names.
    """

    current_root: str
    roots: dict[str, str]
    keys: int
    stale: int
    incomplete: int
    erased_held: int
    erased: int


def keys_state() -> KeysState:
    """Return the state of the key hierarchy; reads the whole key store, opens nothing.

    Raises:
        KeyServiceUnavailable: the key service did not answer.
        StoreUnavailable: the key store did not answer.
    """
    service, store, ledger = wiring.key_service(), wiring.key_store(), wiring.erasure_ledger()
    current = service.current_root()
    secrets = {service_secrets.key_id(name) for name in service_secrets.NAMES}
    ids = list(store.ids())
    return KeysState(
        current_root=current,
        roots=service.roots(),
        keys=sum(key_id not in secrets for key_id in ids),
        stale=sum(bool(rotation.roots_of(key_id) - {current}) for key_id in ids),
        incomplete=sum(len(store.replicas(key_id)) < store.copies for key_id in ids),
        erased_held=sum(ledger.holds(key_id) for key_id in ids),
        erased=len(ledger.erased()),
    )


def has_key(subject: UUID) -> bool:
    """Say whether any replica of the key store still holds a subject's key."""
    return bool(wiring.key_store().replicas(subject))


def objects_of(subject: UUID) -> list[UUID]:
    """Return the ids of everything sealed of a subject, oldest first."""
    return list(StoredObject.objects.filter(subject=subject).order_by("sealed_at", "id").values_list("id", flat=True))


def object_ids(*, kinds: tuple[str, ...], sealed_before: dt.datetime) -> Iterator[UUID]:
    """Yield the ids of objects of some kinds that were sealed before a moment, in bounded memory.

    No query stays open, so whoever takes them may remove them meanwhile. Each kind by itself, oldest first: a kind of
    which there are few costs little, however much there is of others.

    Args:
        kinds: such as ``photo``.
        sealed_before: aware UTC.
    """
    for kind in kinds:
        rows = _sealed_of(kind).filter(sealed_at__lt=sealed_before)
        batch = list(rows[:_BATCH])
        while batch:
            yield from (object_id for _, object_id in batch)
            moment, last = batch[-1]
            batch = list(rows.filter(sealed_at__gte=moment).exclude(sealed_at=moment, id__lte=last)[:_BATCH])


def _sealed_of(kind: str) -> QuerySet[StoredObject, tuple[dt.datetime, UUID]]:
    return StoredObject.objects.filter(kind=kind).order_by("sealed_at", "id").values_list("sealed_at", "id")


def kinds_kept() -> set[str]:
    """Return every kind of object that is kept, for the record of processing: from each to the next, past its rows."""
    kinds = StoredObject.objects.order_by("kind").values_list("kind", flat=True)
    found: set[str] = set()
    one = kinds.first()
    while one is not None:
        found.add(one)
        one = kinds.filter(kind__gt=one).first()
    return found


def is_readable(subject: UUID) -> bool:
    """Say whether anything of a subject could be opened with a warrant: a key is there and they were not erased."""
    return has_key(subject) and not wiring.erasure_ledger().holds(subject)


def is_destroyed(object_id: UUID) -> bool:
    """Say whether an object's destruction was ordered, though it may not have ended yet.

    Raises:
        StoreUnavailable: the ledger could not be read.
    """
    return object_id in wiring.destruction_ledger().destroyed()


def erased() -> list[UUID]:
    """Return everybody who was erased."""
    return list(wiring.erasure_ledger().erased())


def unwrappable() -> list[UUID]:
    """Return the ids of keys that no root opens: what is sealed under them is lost. Nobody sees the keys.

    Raises:
        StoreUnavailable: the key store did not answer.
    """
    return [key_id for key_id, context in rotation.contexts() if not wrapped_keys.opens(key_id, context)]


def kinds_of(object_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the kinds of sealed objects that are kept, by id; what is gone is not in it."""
    found: dict[UUID, str] = {}
    for batch in itertools.batched(object_ids, _BATCH):
        found.update(StoredObject.objects.filter(id__in=batch).values_list("id", "kind"))
    return found


def kinds_destroyed(subject: UUID) -> dict[UUID, str]:
    """Return the kinds of what was destroyed when somebody left, by id, from their receipt."""
    receipt = DeletionReceipt.objects.filter(subject=subject).first()
    named = receipt.document["statement"]["objects"] if receipt else []
    return {UUID(one["id"]): one["kind"] for one in named}


def service_key_ids() -> set[UUID]:
    """Return the ids of the vault's own secrets in the key store."""
    return {service_secrets.key_id(name) for name in service_secrets.NAMES}


def key_opens(key_id: UUID) -> bool:
    """Say whether the key service opens what the key store holds of a key. Nobody sees the key."""
    name = next((one for one in service_secrets.NAMES if service_secrets.key_id(one) == key_id), None)
    context = service_secrets.context(name) if name else customer_keys.context(key_id)
    return wrapped_keys.opens(key_id, context)


def objects_of_kind(subject: UUID, kind: str) -> list[UUID]:
    """Return the ids of everything of one kind sealed of a subject, oldest first."""
    found = StoredObject.objects.filter(subject=subject, kind=kind).order_by("sealed_at", "id")
    return list(found.values_list("id", flat=True))


@dataclass(frozen=True, slots=True)
class SealedRow:
    """What a row says of a sealed object.

    Attributes:
        subject: whose it is.
        object_id: its id.
        size: its sealed bytes.
    """

    subject: UUID
    object_id: UUID
    size: int


def sealed_rows(subject: UUID | None = None) -> list[SealedRow]:
    """Return what every row, or every row of one subject, says; in the order of their ids."""
    rows = StoredObject.objects.order_by("id").values_list("subject", "id", "sealed_bytes")
    return [SealedRow(*row) for row in (rows.filter(subject=subject) if subject else rows).iterator(chunk_size=5000)]


def is_named(object_id: UUID) -> bool:
    """Say whether a row still names an object."""
    return StoredObject.objects.filter(id=object_id).exists()


def header_opens(subject: UUID, object_id: UUID, purpose: str) -> bool:
    """Say whether an object's header is its own and its owner's key unwraps its data key. Opens nothing.

    Raises:
        StoreUnavailable: a store did not answer.
        KeyServiceUnavailable: the key service did not unwrap the owner's key.
    """
    try:
        with closing(wiring.object_store().open(subject, object_id)) as file:
            header = envelope.read(bytes(file.view(0, envelope.LONGEST)))
        key = customer_keys.plain(subject)
        envelope.unwrap(header, owner=subject, object_id=object_id, purpose=purpose, customer_key=key)
    except (ObjectMissing, ObjectDamaged, KeyShredded):
        return False
    return True


def purposes_of(subject: UUID) -> dict[UUID, str]:
    """Return what each sealed object of a subject was sealed for."""
    return dict(StoredObject.objects.filter(subject=subject).values_list("id", "purpose"))


def newest_objects(most: int) -> list[tuple[UUID, UUID]]:
    """Return owner and id of the objects sealed last, newest first: of each kind its newest, and of those the newest.

    Args:
        most: how many.
    """
    rows = StoredObject.objects.order_by("-sealed_at").values_list("sealed_at", "subject", "id")
    found = (row for kind in kinds_kept() for row in rows.filter(kind=kind)[:most])
    return [(subject, object_id) for _, subject, object_id in heapq.nlargest(most, found)]


def sealed_header(subject: UUID, object_id: UUID) -> bytes:
    """Return the first bytes of a stored object as they lie there: ciphertext and its header, nothing opened.

    Raises:
        ObjectMissing: the store lacks it.
        StoreUnavailable: the store did not answer.
    """
    with closing(wiring.object_store().open(subject, object_id)) as file:
        return bytes(file.view(0, envelope.LONGEST))


def sealed_pieces(subject: UUID, object_id: UUID, *, piece: int) -> Iterator[bytes]:
    """Yield a stored object's bytes as they lie there, in pieces of at most ``piece`` bytes; nothing is opened.

    Raises as ``sealed_header`` does.
    """
    with closing(wiring.object_store().open(subject, object_id)) as file:
        offset = 0
        while data := bytes(file.view(offset, piece)):
            yield data
            offset += len(data)


def is_sealed(header: bytes, *, subject: UUID, object_id: UUID) -> bool:
    """Say whether bytes begin as an object of ours does: AES-256-GCM, a wrapped 256-bit key, its owner."""
    try:
        found = envelope.read(header)
    except ObjectDamaged:
        return False
    return (found.owner, found.object_id, len(found.wrapped)) == (subject, object_id, envelope.WRAPPED)
