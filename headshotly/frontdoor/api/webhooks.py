"""Webhooks: where the customer's programs want to be told, and what they were told."""

from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop as noop
from ninja import Router, Status

from headshotly.frontdoor.api import answers, problems, schemas
from headshotly.frontdoor.api.once import once
from headshotly.frontdoor.api.service import CustomerToken, actor, bearer, warrant
from headshotly.integrations import models, troubles, webhooks
from headshotly.vendors.posting import WAITING

router = Router(tags=["webhooks"])
_STATES: dict[str, schemas.EndpointState] = {"gone": "paused_gone", "silent": "paused_silent", "choosy": "refusing"}


def _shown(request: HttpRequest, endpoint: models.WebhookEndpoint) -> schemas.Webhook:
    trouble = troubles.open_of(endpoint)
    return schemas.Webhook(
        id=endpoint.id,
        state=_STATES[trouble.what] if trouble else "working",
        state_since=trouble.began_at if trouble else None,
        taken_at=endpoint.taken_at,
        url=webhooks.address_of(endpoint, warrant=warrant(request, "endpoints-by-program")),
        events=endpoint.events,
        registered_at=endpoint.registered_at,
    )


def _delivery(row: models.WebhookDelivery) -> schemas.Delivery:
    return schemas.Delivery(
        id=row.id,
        event=row.event,
        about=row.about,
        happened_at=row.happened_at,
        state=cast("Any", row.state),
        attempts=row.attempts,
        answered=row.answered,
        next_at=row.next_at if row.state in WAITING else None,
    )


@router.get("/webhooks", response=schemas.Webhooks, auth=CustomerToken("webhooks.read"), summary=noop("List endpoints"))
@answers.etag
def list_webhooks(request: HttpRequest) -> schemas.Webhooks:
    """Return every endpoint; secrets are shown only once."""
    return schemas.Webhooks(items=[_shown(request, one) for one in webhooks.endpoints_of(bearer(request).subject)])


@router.post(
    "/webhooks",
    response={201: schemas.NewlyRegistered},
    auth=CustomerToken("webhooks.write"),
    summary=noop("Register an endpoint"),
)
@once(together=True)
def register_webhook(request: HttpRequest, response: HttpResponse, new: schemas.NewWebhook) -> Status[Any]:
    """Register an endpoint; messages to it are signed as Standard Webhooks says, with the secret in the answer."""
    made = webhooks.register(
        actor=actor(request), subject=bearer(request).subject, url=new.url, events=[str(one) for one in new.events]
    )
    response["Location"] = f"{problems.PREFIX}webhooks/{made.endpoint.id}"
    shown = schemas.NewlyRegistered(
        id=made.endpoint.id,
        state="working",
        state_since=None,
        taken_at=None,
        url=new.url,
        events=made.endpoint.events,
        registered_at=made.endpoint.registered_at,
        secret=made.secret,
    )
    return Status(201, shown)


@router.get(
    "/webhooks/{uuid:webhook_id}",
    response=schemas.Webhook,
    auth=CustomerToken("webhooks.read"),
    summary=noop("One endpoint"),
)
@answers.etag
def get_webhook(request: HttpRequest, webhook_id: UUID) -> schemas.Webhook:
    """Return one endpoint."""
    return _shown(request, webhooks.endpoint_of(bearer(request).subject, webhook_id))


@router.delete(
    "/webhooks/{uuid:webhook_id}",
    response={204: None},
    auth=CustomerToken("webhooks.write"),
    summary=noop("Remove an endpoint"),
)
def remove_webhook(request: HttpRequest, webhook_id: UUID) -> Status[Any]:
    """Remove an endpoint with its log; nothing more is sent to it."""
    webhooks.remove(actor=actor(request), subject=bearer(request).subject, endpoint_id=webhook_id)
    return Status(204, None)


@router.post(
    "/webhooks/{uuid:webhook_id}/resume",
    response=schemas.Webhook,
    auth=CustomerToken("webhooks.write"),
    summary=noop("Resume an endpoint"),
)
@once(together=True)
def resume_webhook(request: HttpRequest, webhook_id: UUID) -> schemas.Webhook:
    """Send to a paused endpoint again, first of all what it missed; harmless where it works."""
    subject = bearer(request).subject
    troubles.resume(actor=actor(request), subject=subject, endpoint_id=webhook_id)
    return _shown(request, webhooks.endpoint_of(subject, webhook_id))


@router.get(
    "/webhooks/{uuid:webhook_id}/deliveries",
    response=schemas.Deliveries,
    auth=CustomerToken("webhooks.read"),
    summary=noop("List messages to an endpoint"),
)
@answers.etag
def list_deliveries(request: HttpRequest, webhook_id: UUID) -> schemas.Deliveries:
    """Return the newest 50 messages to an endpoint, each with its last answer."""
    endpoint = webhooks.endpoint_of(bearer(request).subject, webhook_id)
    return schemas.Deliveries(items=[_delivery(one) for one in webhooks.deliveries_of(endpoint)])


@router.post(
    "/deliveries/{uuid:delivery_id}/redeliver",
    response={202: schemas.Delivery},
    auth=CustomerToken("webhooks.write"),
    summary=noop("Send a message again"),
)
@once(together=True)
def redeliver(request: HttpRequest, delivery_id: UUID) -> Status[Any]:
    """Send a message again, with the same id and all its tries."""
    row = troubles.redeliver(actor=actor(request), subject=bearer(request).subject, delivery_id=delivery_id)
    return Status(202, _delivery(row))
