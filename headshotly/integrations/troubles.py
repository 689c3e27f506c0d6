"""Endpoints that do not take what we send: paused, their owner told once, and sent to again when the owner says so."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from headshotly.access.warrants import worker_warrant
from headshotly.accounts import selectors as accounts
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.integrations import turns, webhooks
from headshotly.integrations.errors import NotFound
from headshotly.integrations.models import Trouble, WebhookDelivery, WebhookEndpoint, WebhookTrouble
from headshotly.policy import clock, configuration
from headshotly.policy.wording import moment, speaking
from headshotly.vendors import https, mail, posting
from headshotly.vendors.posting import PostState

_WARRANT_VALID = dt.timedelta(minutes=2)
_SUBJECTS: Mapping[str, str] = {
    Trouble.GONE: noop("Your endpoint at %(host)s is paused"),
    Trouble.SILENT: noop("Your endpoint at %(host)s is paused"),
    Trouble.CHOOSY: noop("Your endpoint at %(host)s refused a message"),
}
_WHATS: Mapping[str, str] = {
    Trouble.GONE: noop(
        "Your endpoint at %(host)s answered that it is gone for good (410), so we send nothing to it any more. New "
        "messages wait. If it is back, resume it here; what it missed is then sent, oldest first."
    ),
    Trouble.SILENT: noop(
        "Your endpoint at %(host)s has taken none of our messages for most of a day, so we paused it. New messages "
        "wait. When it works again, resume it here; what it missed is then sent, oldest first."
    ),
    Trouble.CHOOSY: noop(
        "Your endpoint at %(host)s takes our messages, but one of them it refused again and again for most of a day. "
        "We gave that one up; the others go on. What it answered, and how to have it sent again, stands here."
    ),
}
_UNTIL = noop("Messages are kept for 30 days. We write about this once, not for each message.")


def open_of(endpoint: WebhookEndpoint) -> WebhookTrouble | None:
    """Return what is the matter with an endpoint, if anything is."""
    return WebhookTrouble.objects.filter(endpoint=endpoint, ended_at=None).first()


def pauses(trouble: WebhookTrouble | None) -> bool:
    """Say whether nothing is sent to an endpoint because of its trouble."""
    return trouble is not None and trouble.what != Trouble.CHOOSY


def begin(row: WebhookDelivery, what: Trouble) -> None:
    """Write down, in the transaction that gives a message up, that its owner is to be told; once while it lasts.

    Args:
        row: the message.
        what: is the matter.
    """
    known = WebhookTrouble.objects.filter(endpoint=row.endpoint_id, ended_at=None)
    if what != Trouble.CHOOSY:
        known.filter(what=Trouble.CHOOSY).update(ended_at=clock.now())  # it became worse, which is worth a mail
    if known.exists():
        return
    now = clock.now()
    made = WebhookTrouble(endpoint_id=row.endpoint_id, subject=row.subject, what=what, began_at=now, next_at=now)
    WebhookTrouble.objects.bulk_create([made], ignore_conflicts=True)
    if pauses(made):
        audit.record(
            actor=SYSTEM, act=Act.WEBHOOK_PAUSED, subject=row.subject, object_ids=[row.endpoint_id], purpose=what
        )


def _end(endpoint: WebhookEndpoint, actor: Actor) -> bool:
    """Let an endpoint be spoken to again on its owner's word, at once; say whether anything was the matter with it."""
    WebhookEndpoint.objects.filter(id=endpoint.id).update(failing_since=None)
    turns.wake(endpoint)
    ended = WebhookTrouble.objects.filter(endpoint=endpoint, ended_at=None).update(ended_at=clock.now())
    if ended:
        audit.record(actor=actor, act=Act.WEBHOOK_RESUMED, subject=endpoint.subject, object_ids=[endpoint.id])
    return bool(ended)


def resume(*, actor: Actor, subject: UUID, endpoint_id: UUID) -> int:
    """End an endpoint's trouble and send what it missed, each with all its tries; harmless where there is none.

    Args:
        actor: the customer, or a program of theirs.
        subject: whose it is.
        endpoint_id: which.

    Returns:
        How many messages are sent now.

    Raises:
        NotFound: there is no such endpoint, or it is somebody else's.
    """
    found = webhooks.endpoint_of(subject, endpoint_id)
    with transaction.atomic():
        if not _end(found, actor):
            return 0
        missed = WebhookDelivery.objects.filter(endpoint=found, state__in=[PostState.QUEUED, PostState.FAILED])
        return missed.update(state=PostState.QUEUED, attempts=0, next_at=clock.now())


def redeliver(*, actor: Actor, subject: UUID, delivery_id: UUID) -> WebhookDelivery:
    """Send a message again, now and with all its tries; it keeps its id, so that whoever had it can tell.

    It is also its owner's word that the endpoint works again: a paused one is spoken to from here on.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    mine = WebhookDelivery.objects.filter(id=delivery_id, subject=subject)
    found = mine.select_related("endpoint").first()
    if found is None:
        raise NotFound("There is no such message.")
    with transaction.atomic():
        _end(found.endpoint, actor)
        over = mine.exclude(state=PostState.SENDING)
        over.update(state=PostState.QUEUED, attempts=0, next_at=clock.now(), sent_at=None)
        audit.record(actor=actor, act=Act.WEBHOOK_REDELIVERED, subject=subject, object_ids=[delivery_id])
    return mine.get()


def tell_due() -> int:
    """Mail the owners who are to be told, and those whom a crash left in between; return how many were told."""
    rows = WebhookTrouble.objects.select_related("endpoint")
    return posting.send_due(rows, hand_over=_tell, given_up=_not_told)


def _tell(row: WebhookTrouble, once: UUID) -> bool:
    customer = accounts.customer(row.subject)
    if customer is None or row.ended_at is not None:
        return False
    warrant = worker_warrant(
        subject=row.subject, job_id=row.id, purpose="webhook-notice", valid_for=_WARRANT_VALID, role="integrations"
    )
    # The host alone: the rest of an endpoint's address may be a secret, and a mail is none.
    names = {"host": https.address_of(webhooks.address_of(row.endpoint, warrant=warrant)).host}
    with speaking(customer.language):
        page = f"{configuration.current().public_url}/account/programs/webhooks/{row.endpoint_id}/"
        parts = [_(_WHATS[row.what]) % names, page, _(_UNTIL), _("When: %(when)s") % {"when": moment(row.began_at)}]
        mail.send(
            to=accounts.profile_email(customer, warrant=warrant),
            subject=_(_SUBJECTS[row.what]) % names,
            text="\n\n".join(parts),
            about=row.subject,
            once=once,
        )
    return True


def _not_told(row: Any, why: str) -> None:
    audit.record(
        actor=SYSTEM, act=Act.WEBHOOK_NOTICE_FAILED, subject=row.subject, object_ids=[row.id], purpose=why,
        outcome=Outcome.FAILED,
    )  # fmt: skip


def forget_old(*, before: dt.datetime) -> int:
    """Remove what ended before a moment; return how many went."""
    return WebhookTrouble.objects.filter(ended_at__lt=before).exclude(state__in=posting.WAITING).delete()[0]
