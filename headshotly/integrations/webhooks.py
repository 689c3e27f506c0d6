"""Endpoints that customers want to be told at: registered, told once of each thing, told again on demand."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext_noop as noop

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.integrations import signing
from headshotly.integrations.errors import NotFound, WebhookRefused
from headshotly.integrations.models import WEBHOOK_SECRET, WEBHOOK_URL, WebhookDelivery, WebhookEndpoint
from headshotly.policy import clock, configuration
from headshotly.vault import services as vault
from headshotly.vault.warrant import Warrant
from headshotly.vendors import https
from headshotly.vendors.posting import PostState

JOB_DONE, JOB_FAILED, EXPORT_READY, TEST = "job.done", "job.failed", "export.ready", "webhook.test"
SEAT_TAKEN = "seat.taken"
EVENTS = {
    JOB_DONE: noop("Headshots are ready"),
    JOB_FAILED: noop("Headshots could not be made"),
    EXPORT_READY: noop("A copy of the data is ready"),
    SEAT_TAKEN: noop("A seat of your team was taken"),
}
TEST_TITLE = noop("A test message")
ENDPOINTS_MAX = 5
URL_MAX = 500
LOG_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Registered:
    """A new endpoint, and its secret, shown once."""

    endpoint: WebhookEndpoint
    secret: str


def register(*, actor: Actor, subject: UUID, url: str, events: Collection[str]) -> Registered:
    """Take an endpoint in; it is spoken to from the next event on.

    Args:
        actor: the customer, or a program of theirs.
        subject: whose it is.
        url: public https address; where it leads is judged each time it is spoken to.
        events: what it wants to hear of, of ``EVENTS``.

    Raises:
        AddressRefused: it is no https address of a host by name.
        WebhookRefused: a port that no message leaves by, no event, an unknown one, or too many endpoints.
    """
    _require_port(https.address_of(url).port)
    if len(url) > URL_MAX:
        raise WebhookRefused(f"The address has more than {URL_MAX} characters.")
    if not events or not set(events) <= set(EVENTS):
        raise WebhookRefused(f"Please choose what to be told of: {', '.join(EVENTS)}.")
    secret = signing.new_secret()
    with transaction.atomic():
        if WebhookEndpoint.objects.filter(subject=subject).count() >= ENDPOINTS_MAX:
            raise WebhookRefused(f"You have {ENDPOINTS_MAX} endpoints, which is the most. Please remove one first.")
        made = WebhookEndpoint.objects.create(
            subject=subject,
            url=vault.seal_field(subject=subject, field=WEBHOOK_URL, text=url),
            secret=vault.seal_field(subject=subject, field=WEBHOOK_SECRET, text=secret),
            events=sorted(set(events)),
            registered_at=clock.now(),
        )
        audit.record(actor=actor, act=Act.WEBHOOK_REGISTERED, subject=subject, object_ids=[made.id])
    return Registered(made, secret)


def _require_port(port: int) -> None:
    """Refuse a port that this installation's network lets nothing out by (option ``webhooks.port``; any without)."""
    named = configuration.current().options.get("webhooks.port", "")
    if named and str(port) != named:
        raise WebhookRefused(f"We send messages to port {named} only. Please give us an address there.")


def endpoints_of(subject: UUID) -> list[WebhookEndpoint]:
    """Return a customer's endpoints, oldest first."""
    return list(WebhookEndpoint.objects.filter(subject=subject).order_by("registered_at", "id"))


def endpoint_of(subject: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    """Return one of a customer's endpoints.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    found = WebhookEndpoint.objects.filter(id=endpoint_id, subject=subject).first()
    if found is None:
        raise NotFound("There is no such endpoint.")
    return found


def address_of(endpoint: WebhookEndpoint, *, warrant: Warrant) -> str:
    """Return an endpoint's address, opened under a warrant."""
    return str(endpoint.url.open(warrant))


def remove(*, actor: Actor, subject: UUID, endpoint_id: UUID) -> None:
    """Forget an endpoint with its log; what waited for it is not sent any more. Raises as ``endpoint_of``."""
    found = endpoint_of(subject, endpoint_id)
    with transaction.atomic():
        found.delete()
        audit.record(actor=actor, act=Act.WEBHOOK_REMOVED, subject=subject, object_ids=[endpoint_id])


def announce(*, subject: UUID, event: str, about: UUID, at: dt.datetime | None = None) -> None:
    """Queue a message to every endpoint that wants this event, in the transaction in which it happened.

    Args:
        subject: whose.
        event: of ``EVENTS``.
        about: the job, the export or the seat.
        at: when it happened; now by default.
    """
    now = clock.now()
    wanting = [one for one in WebhookEndpoint.objects.filter(subject=subject) if event in one.events]
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(endpoint=one, subject=subject, event=event, about=about, happened_at=at or now, next_at=now)
            for one in wanting
        ],
        ignore_conflicts=True,
    )


def test(*, subject: UUID, endpoint_id: UUID) -> WebhookDelivery:
    """Queue a message that says nothing happened, so that a customer sees their endpoint work. As ``endpoint_of``."""
    found, now = endpoint_of(subject, endpoint_id), clock.now()
    return WebhookDelivery.objects.create(
        endpoint=found, subject=subject, event=TEST, about=uuid4(), happened_at=now, next_at=now
    )


def deliveries_of(endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
    """Return the newest messages to an endpoint, newest first."""
    return list(WebhookDelivery.objects.filter(endpoint=endpoint).order_by("-happened_at", "-id")[:LOG_SHOWN])


def forget_old(*, before: dt.datetime) -> int:
    """Remove what the log holds from before a moment, also what waits for a paused endpoint; return how many went."""
    return WebhookDelivery.objects.filter(happened_at__lt=before).exclude(state=PostState.SENDING).delete()[0]
