"""The daily comparison with the payment service: a lost message is found and healed (clause 7.1.a)."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_noop as noop

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.orders import events, ledger, services, spending
from headshotly.orders.models import Order, OrderState, Reconciliation, StoredEvent
from headshotly.orders.packages import PROMISED_HOURS
from headshotly.orders.payments import PAID, Fact, payments
from headshotly.orders.services import KNOWN, NO_ORDER
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.studio import tasks as studio_tasks

LOOK_BACK, EVENTS_BACK = dt.timedelta(days=35), dt.timedelta(days=29)
_LATE = noop("This took longer than we promise, so it was stopped and paid back. Please try again.")
_NOTHING_DONE = {KNOWN, "does not concern us"}


@enforces("7.1.a")
def reconcile() -> Reconciliation:
    """Compare the last weeks with the payment service, and bring our orders to what is true.

    First its list of messages against those we kept: one that never came is a lost one, kept and acted upon now. Then
    how each payment stands against our orders, which would find what even that list does not hold.

    Raises:
        PaymentsUnavailable: the payment service did not answer; what was healed until then stays healed.
    """
    lost = [fact for fact in payments().events(clock.now() - EVENTS_BACK) if events.keep(fact)]
    events.process_waiting()
    differences = [f"a message that never came: {fact.kind}: order {fact.order_id}" for fact in lost]
    compared, healed = 0, 0
    for fact in payments().recent(clock.now() - LOOK_BACK):
        compared += 1
        with transaction.atomic():
            result = events.apply(fact)
        if result == NO_ORDER:
            differences.append(f"{fact.kind}: {fact.payment_ref or fact.checkout_ref} belongs to no order of ours")
        elif result not in _NOTHING_DONE:
            healed += 1
            differences.append(f"{fact.kind}: order {fact.order_id}: {result}")
        differences.extend(_amounts(fact))
    differences.extend(f"the booking {one} does not balance" for one in ledger.unbalanced())
    _forget_unpaid()
    _end_waiting()
    services.send_refunds()
    with transaction.atomic():
        audit.record(actor=SYSTEM, act=Act.PAYMENTS_RECONCILED, purpose="orders")
        return Reconciliation.objects.create(
            ran_at=clock.now(), compared=compared, lost=len(lost), healed=healed, differences=differences
        )


def _amounts(fact: Fact) -> list[str]:
    """Return where our books and the payment service's differ for one payment."""
    order = Order.objects.filter(payment_ref=fact.payment_ref).first() if fact.payment_ref else None
    if order is None:
        return []
    if fact.kind == PAID and order.paid_minor != fact.amount_minor:
        return [f"order {order.id}: {order.paid_minor} is booked, {fact.amount_minor} was paid"]
    return []


def _forget_unpaid() -> None:
    """End the orders that never reached a payment page, or whose page is over without a message."""
    old = clock.now() - dt.timedelta(days=3)
    unpaid = Order.objects.filter(state__in=[OrderState.CREATED, OrderState.PENDING], created_at__lt=old)
    unpaid.update(state=OrderState.EXPIRED)  # a payment that comes even later is still taken


def _end_waiting() -> None:
    """Stop waiting for payments that are not ours: an account at the payment service may have other uses."""
    old = StoredEvent.objects.filter(done_at__isnull=True, received_at__lt=clock.now() - LOOK_BACK)
    old.update(done_at=clock.now(), result="was about no payment of ours")


def end_overdue() -> int:
    """Fail every shoot that took longer than promised, which pays it back; return how many."""
    late = spending.overdue(clock.now() - dt.timedelta(hours=PROMISED_HOURS))
    for shoot_id in late:
        studio_tasks.fail(shoot_id, _LATE)
        # One that is over already, or that its owner removed, is settled here: nothing stays reserved for ever.
        with transaction.atomic():
            studio_tasks.settle(shoot_id, failed=False)
    return len(late)
