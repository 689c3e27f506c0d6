"""What the payment service tells us: kept first, acted upon once, in whatever order it comes."""

import hashlib
import logging
from collections.abc import Iterable
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from headshotly.audit.acts import Act
from headshotly.orders import ledger, services
from headshotly.orders.models import Dispute, Order, OrderState, StoredEvent
from headshotly.orders.payments import (
    DISPUTE_LOST,
    DISPUTE_WON,
    DISPUTED,
    EXPIRED,
    PAID,
    REFUND_RETURNED,
    REFUNDED,
    UNREADABLE,
    Fact,
    payments,
)  # fmt: skip
from headshotly.orders.services import KNOWN, NO_ORDER, WAITS
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

_log = logging.getLogger(__name__)


def keep(fact: Fact, *, body: bytes = b"") -> bool:
    """Keep one message before it is acted upon; return whether it is new."""
    return StoredEvent.objects.get_or_create(
        id=fact.id,
        defaults={
            "kind": fact.kind,
            "facts": fact.as_json(),
            "body_sha256": hashlib.sha256(body).hexdigest() if body else "",
            "received_at": clock.now(),
        },
    )[1]


@enforces("7.1.a")
def receive(body: bytes, signature: str) -> StoredEvent:
    """Check, keep and act upon one message. The same message again changes nothing.

    A crash after it is kept leaves it to ``process_waiting``; before that, the sender tries again.

    Raises:
        WebhookRefused: it is not from the payment service, or too old.
    """
    fact = payments().read_event(body, signature)
    keep(fact, body=body)
    process_waiting()
    return StoredEvent.objects.get(id=fact.id)


def process_waiting() -> int:
    """Act upon every kept message that still waits, until nothing moves; return how many were done."""
    done = 0
    while True:
        waiting = StoredEvent.objects.filter(done_at__isnull=True).order_by("received_at").values_list("id", flat=True)
        moved = sum(_process(event_id) for event_id in list(waiting))
        done += moved
        if moved == 0:
            services.send_refunds()
            return done


def _process(event_id: str) -> int:
    try:
        with transaction.atomic():
            event = StoredEvent.objects.select_for_update().get(id=event_id)
            if event.done_at is not None:
                return 0
            event.result = apply(Fact(**event.facts))
            if event.result != WAITS:
                # What is the payer's is on the order now, and goes with it; here it would stay.
                event.done_at, event.facts = clock.now(), {**event.facts, "payer_ref": "", "billed_abroad": None}
            event.save(update_fields=["result", "done_at", "facts"])
            return int(event.done_at is not None)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the others go on and this one is shown
        # One message that cannot be acted upon must not hold up the others; it stays, and finance sees it.
        _log.exception("payment-message.failed")
        StoredEvent.objects.filter(id=event_id).update(result=f"failed: {type(error).__name__}")
        return 0


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
    if fact.kind == UNREADABLE:
        return "could not be read"
    order = _order_for(fact)
    if order is None:
        # With the payment's own id alone, its order may only become known by a message that is still on its way.
        return WAITS if fact.payment_ref and not fact.order_id else NO_ORDER
    if fact.kind == PAID:
        return services.mark_paid(order, fact)
    if fact.kind == EXPIRED:
        return "expired" if services.mark(order, OrderState.EXPIRED, Act.ORDER_EXPIRED) else KNOWN
    # What is about a payment waits until we know of the payment.
    return _ABOUT_A_PAYMENT[fact.kind](order, fact) if order.payment_ref else WAITS


def _refunded(order: Order, fact: Fact) -> str:
    if fact.payment_ref and fact.payment_ref != order.payment_ref:
        new = ledger.book_second_back(order, name=fact.refund_ref, minor=fact.amount_minor)
    else:
        new = ledger.book_refund(order, name=fact.refund_ref, minor=fact.amount_minor)
        services.close_if_nothing_stands(order)
    return f"{fact.amount_minor} went back" if new else KNOWN


def _dispute(order: Order, fact: Fact) -> Dispute:
    defaults = {"order": order, "minor": fact.amount_minor, "heard_at": clock.now()}
    return Dispute.objects.get_or_create(ref=fact.dispute_ref, defaults=defaults)[0]


def _disputed(order: Order, fact: Fact) -> str:
    if _dispute(order, fact).closed:
        return KNOWN
    return "disputed" if services.mark(order, OrderState.DISPUTED, Act.ORDER_DISPUTED) else KNOWN


def _closed(order: Order, fact: Fact) -> str:
    if _dispute(order, fact).closed:
        return KNOWN
    Dispute.objects.filter(ref=fact.dispute_ref).update(closed=fact.kind)
    if fact.kind == DISPUTE_LOST:
        ledger.book_dispute(
            order, ref=fact.dispute_ref, minor=min(fact.amount_minor, order.paid_minor - ledger.went_back(order))
        )
    if not Dispute.objects.filter(order=order, closed="").exists() and order.state == OrderState.DISPUTED:
        services.mark(order, OrderState.PAID, Act.DISPUTE_CLOSED)
    services.close_if_nothing_stands(order)
    if fact.kind == DISPUTE_LOST and order.state == OrderState.REFUNDED:
        services.drop_waiting_refunds(order)
    return "lost" if fact.kind == DISPUTE_LOST else "won"


_ABOUT_A_PAYMENT = {
    REFUNDED: _refunded,
    DISPUTED: _disputed,
    DISPUTE_WON: _closed,
    DISPUTE_LOST: _closed,
    REFUND_RETURNED: services.take_as_returned,
}
