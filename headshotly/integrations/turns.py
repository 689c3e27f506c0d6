"""Whose turn it is: an endpoint gets one message at a time, and no endpoint waits because another one hangs.

A turn marks endpoint and message in one transaction, so that no second machine has the same endpoint's turn. A crash
leaves both marked for two minutes; then the same message is tried again, before any later one. Whoever writes to an
endpoint and its messages writes to the endpoint first, so that nobody waits for each other.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable

from headshotly.integrations.models import Trouble, WebhookDelivery, WebhookEndpoint, WebhookTrouble
from headshotly.policy import clock
from headshotly.vendors import posting
from headshotly.vendors.posting import PostState


def _due(now: dt.datetime) -> "QuerySet[WebhookEndpoint]":
    waits = WebhookDelivery.objects.filter(posting.due(now), endpoint=OuterRef("pk")).order_by("next_at")
    paused = WebhookTrouble.objects.filter(endpoint=OuterRef("pk"), ended_at=None).exclude(what=Trouble.CHOOSY)
    return (
        WebhookEndpoint.objects.annotate(due_since=Subquery(waits.values("next_at")[:1]))
        .filter(~Exists(paused), Q(not_before=None) | Q(not_before__lte=now), due_since__isnull=False)
        .order_by("due_since", "id")
    )


def take(size: int, *, failing: bool) -> list[WebhookDelivery]:
    """Mark the oldest due message of each of some endpoints, those first that wait longest.

    Args:
        size: how many endpoints at most.
        failing: of those that took nothing the last time, or of the others.

    Returns:
        Messages, each with its endpoint.
    """
    if size <= 0:
        return []
    now, taken = clock.now(), []
    with transaction.atomic():
        locked = _due(now).select_for_update(skip_locked=posting.can_skip(), of=posting.own_rows())
        for endpoint in locked.filter(failing_since__isnull=not failing)[:size]:
            mine = WebhookEndpoint.objects.filter(id=endpoint.id)
            mine.update(not_before=now + WebhookDelivery.CLAIMED_FOR)
            rows = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("endpoint")
            found = posting.claim(rows, 1, first="happened_at")
            if not found:
                mine.update(not_before=endpoint.not_before)
            taken += found
    return taken


@contextmanager
def ending(row: WebhookDelivery, **changes: dt.datetime | Combinable | None) -> Iterator[None]:
    """End a message's turn: what is written of the message inside, and of its endpoint, is written together.

    Args:
        row: as it was taken.
        changes: to the endpoint; it may be spoken to again at once where no other ``not_before`` is among them. They
            are left out where the turn ran out and is somebody else's by now.
    """
    with transaction.atomic():
        mine = WebhookEndpoint.objects.filter(id=row.endpoint_id, not_before=row.endpoint.not_before)
        mine.update(**{"not_before": None, **changes})
        yield


def wake(endpoint: WebhookEndpoint) -> None:
    """Let an endpoint that rests be spoken to at once; where one speaks to it now, it is left to them."""
    under_way = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), state=PostState.SENDING)
    WebhookEndpoint.objects.filter(~Exists(under_way), id=endpoint.id).update(not_before=None)
