"""What this room holds about a customer: for their copy, and for the day they leave."""

from typing import Any
from uuid import UUID

from headshotly.integrations.models import (
    AccessToken,
    Allowance,
    KeptAnswer,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookTrouble,
)
from headshotly.vault.warrant import Warrant


def export(subject: UUID, warrant: Warrant) -> dict[str, Any]:
    """Return a customer's tokens, endpoints and messages as plain JSON data; no token itself and no secret."""
    return {
        "tokens": [
            {
                "name": one.name.open(warrant),
                "scopes": one.scopes,
                "issued_at": one.issued_at,
                "expires_at": one.expires_at,
                "last_used_at": one.last_used_at,
                "revoked_at": one.revoked_at,
            }
            for one in AccessToken.objects.filter(subject=subject).order_by("issued_at")
        ],
        "webhooks": [
            {
                "url": one.url.open(warrant),
                "events": one.events,
                "registered_at": one.registered_at,
                "taken_at": one.taken_at,
            }
            for one in WebhookEndpoint.objects.filter(subject=subject).order_by("registered_at")
        ],
        "messages": [
            {"event": one.event, "about": str(one.about), "happened_at": one.happened_at, "state": one.state}
            for one in WebhookDelivery.objects.filter(subject=subject).order_by("happened_at")
        ],
        "endpoints_in_trouble": [
            {"what": one.what, "began_at": one.began_at, "ended_at": one.ended_at}
            for one in WebhookTrouble.objects.filter(subject=subject).order_by("began_at")
        ],
        "answers_kept_for_a_day": KeptAnswer.objects.filter(subject=subject).count(),
        "requests_in_this_minute": sum(Allowance.objects.filter(subject=subject).values_list("used", flat=True)),
    }


def erase(subject: UUID) -> None:
    """Remove a leaving customer's rows; from here on none of their tokens opens anything."""
    for kind in (AccessToken, KeptAnswer, Allowance, WebhookTrouble, WebhookDelivery, WebhookEndpoint):
        kind._default_manager.filter(subject=subject).delete()
