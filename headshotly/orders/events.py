"""What the payment service tells us: kept first, acted upon once, in whatever order it comes."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from headshotly.audit.acts import Act
from headshotly.orders import services
from headshotly.orders.models import Order, OrderState, StoredEvent
from headshotly.orders.payments import (
    DISPUTE_LOST,
    DISPUTE_WON,
    DISPUTED,
    EXPIRED,
    PAID,
    REFUNDED,
    Fact,
    payments,
)  # fmt: skip
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

_WAITS, _KNOWN = "waits for the payment it is about", "was known"


@enforces("7.1.a")
def receive(body: bytes, signature: str) -> StoredEvent:
    """Check, keep and act upon one message. The same message again changes nothing.

    A crash after it is kept leaves it to ``process_waiting``; before that, the sender tries again.

    Raises:
        WebhookRefused: it is not from the payment service, or too old.
    """
    fact = payments().read_event(body, signature)
    event, _ = StoredEvent.objects.get_or_create(
        id=fact.id,
        defaults={
            "kind": fact.kind,
            "facts": fact.as_json(),
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "received_at": clock.now(),
        },
    )
    process_waiting()
    event.refresh_from_db()
    return event


def process_waiting() -> int:
    """Act upon every kept message that still waits, until nothing moves; return how many were done."""
    done = 0
    while True:
        moved = sum(
            _process(event.id) for event in StoredEvent.objects.filter(done_at__isnull=True).order_by("received_at")
        )
        done += moved
        if moved == 0:
            services.send_refunds()
            return done


def _process(event_id: str) -> int:
    with transaction.atomic():
        event = StoredEvent.objects.select_for_update().get(id=event_id)
        if event.done_at is not None:
            return 0
        result = apply(Fact(**event.facts))
        event.result = result
        if result != _WAITS:
            event.done_at = clock.now()
        event.save(update_fields=["result", "done_at"])
        return int(event.done_at is not None)


def _order_for(fact: Fact) -> Order | None:
    found: Iterable[Order] = ()
    if fact.order_id:
        try:
            found = Order.objects.select_for_update().filter(id=UUID(fact.order_id))
        except ValueError:
            return None
    elif fact.payment_ref:
        found = Order.objects.select_for_update().filter(payment_ref=fact.payment_ref)
    return next(iter(found), None)


def apply(fact: Fact) -> str:
    """Bring an order to what the payment service says of it; return in words what was done.

    Runs in the caller's transaction. Saying the same again, or something older, changes nothing.
    """
    if not fact.kind:
        return "does not concern us"
    order = _order_for(fact)
    if order is None:
        # With the payment's own id alone, its order may only become known by a message that is still on its way.
        return _WAITS if fact.payment_ref and not fact.order_id else "there is no such order"
    if fact.kind in {PAID, EXPIRED}:
        return (_paid if fact.kind == PAID else _expired)(order, fact)
    # What is about a payment waits until we know of the payment.
    return _ABOUT_A_PAYMENT[fact.kind](order, fact) if order.payment_ref else _WAITS


def _paid(order: Order, fact: Fact) -> str:
    return "paid" if services.mark_paid(order, fact) else _KNOWN


def _expired(order: Order, _fact: Fact) -> str:
    return "expired" if services.mark(order, OrderState.EXPIRED, Act.ORDER_EXPIRED) else _KNOWN


def _refunded(order: Order, fact: Fact) -> str:
    total = order.paid_minor if fact.kind == DISPUTE_LOST else fact.amount_minor
    gone = services.book_returned(order, total=total, name=fact.id)
    return f"{gone} went back" if gone else _KNOWN


def _disputed(order: Order, _fact: Fact) -> str:
    return "disputed" if services.mark(order, OrderState.DISPUTED, Act.ORDER_DISPUTED) else _KNOWN


def _won(order: Order, _fact: Fact) -> str:
    return "won" if services.mark(order, OrderState.PAID, Act.ORDER_PAID) else _KNOWN


_ABOUT_A_PAYMENT = {REFUNDED: _refunded, DISPUTE_LOST: _refunded, DISPUTED: _disputed, DISPUTE_WON: _won}
