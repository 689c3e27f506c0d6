"""Asking for a copy, following its progress, fetching it, and its end."""

import datetime as dt
from uuid import UUID

from django.db import IntegrityError, transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.rights import services, tasks
from headshotly.rights.errors import NotFound, NotNow
from headshotly.rights.models import Export, ExportState
from headshotly.rights.states import Channel, Kind, Regime
from headshotly.vault import selectors as vault_contents
from headshotly.vault import services as vault
from headshotly.vault.services import Plaintext
from headshotly.vault.warrant import Warrant

_UNNAMED_FOR = dt.timedelta(hours=2)


def ask(*, actor: Actor, subject: UUID, regime: Regime = Regime.EITHER) -> Export:
    """Ask for a copy; it is packed in the background.

    Raises:
        NotNow: one is being packed already.
    """
    received = None
    try:
        with transaction.atomic():
            received = services.receive(
                actor=actor,
                kind=Kind.EXPORT,
                regime=regime,
                channel=Channel.ACCOUNT,
                words=services.Words(),
                subject=subject,
            )
            made = Export.objects.create(subject=subject, request=received.request, asked_at=clock.now())
            audit.record(actor=actor, act=Act.EXPORT_ASKED, subject=subject, purpose=received.request.reference)
            # The task's row is in this transaction: the copy and its work exist together or not at all.
            tasks.build_export.enqueue(export_id=str(made.id))
    except IntegrityError:
        raise NotNow("Your copy is being packed already.") from None
    return made


def of(subject: UUID) -> list[Export]:
    """Return a customer's copies, newest first."""
    return list(Export.objects.filter(subject=subject).order_by("-asked_at")[:5])


def one_of(subject: UUID, export_id: UUID) -> Export:
    """Return one of a customer's copies.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    found = Export.objects.filter(id=export_id, subject=subject).first()
    if found is None:
        raise NotFound("There is no such copy.")
    return found


def fetch(*, actor: Actor, subject: UUID, export_id: UUID, warrant: Warrant) -> Plaintext:
    """Return a ready copy as a stream, journalled.

    Raises:
        NotNow: it is still being packed, or could not be.
        NotFound: its time is over, or it is somebody else's.
        WarrantRefused: the warrant is not for this customer.
    """
    found = one_of(subject, export_id)
    if found.state in {ExportState.WAITING, ExportState.BUILDING}:
        raise NotNow("Your copy is still being packed. Please come back in a moment.")
    if found.state == ExportState.FAILED:
        raise NotNow("This copy could not be packed. Please ask for a new one.")
    if found.object_id is None or found.expires_at is None or found.expires_at <= clock.now():
        raise NotFound("This copy is not here any more. Please ask for a new one.")
    audit.record(actor=actor, act=Act.EXPORT_DOWNLOADED, subject=subject, object_ids=[found.object_id])
    return vault.open_stream(object_id=found.object_id, warrant=warrant)


def expire() -> int:
    """Destroy the copies whose time is over, and those that a crash left without a name.

    The bytes go before the row says so: a crash in between leaves a row whose copy is gone, and the next run ends it.

    Returns:
        How many copies were destroyed.
    """
    gone = 0
    for old in Export.objects.filter(state=ExportState.READY, expires_at__lte=clock.now()):
        if old.object_id is not None:
            vault.destroy(actor=SYSTEM, object_id=old.object_id)
        with transaction.atomic():
            Export.objects.filter(id=old.id).update(state=ExportState.EXPIRED, object_id=None)
            audit.record(actor=SYSTEM, act=Act.EXPORT_DESTROYED, subject=old.subject)
        gone += 1
    named = set(Export.objects.exclude(object_id=None).values_list("object_id", flat=True))
    for object_id in vault_contents.object_ids(kinds=("export",), sealed_before=clock.now() - _UNNAMED_FOR):
        if object_id not in named:
            vault.destroy(actor=SYSTEM, object_id=object_id)
            gone += 1
    return gone
