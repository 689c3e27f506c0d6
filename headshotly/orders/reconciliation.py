"""The daily comparison with the payment service: a lost message is found and healed (clause 7.1.a)."""

import datetime as dt

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.orders import events, ledger, services, spending
from headshotly.orders.models import Order, OrderState, Reconciliation
from headshotly.orders.packages import PROMISED_HOURS
from headshotly.orders.payments import PAID, Fact, payments
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.studio import tasks as studio_tasks

LOOK_BACK = dt.timedelta(days=35)
_LATE = "This took longer than we promise, so it was stopped and paid back. Please try again."


@enforces("7.1.a")
def reconcile() -> Reconciliation:
    """Compare every payment of the last weeks with our orders, and bring ours to what is true.

    Raises:
        PaymentsUnavailable: the payment service did not answer; nothing was changed by that.
    """
    compared, healed, differences = 0, 0, []
    for fact in payments().recent(clock.now() - LOOK_BACK):
        compared += 1
        with transaction.atomic():
            result = events.apply(fact)
        if result == "there is no such order":
            differences.append(f"{fact.kind}: {fact.payment_ref or fact.checkout_ref} belongs to no order of ours")
        elif result not in {"was known", "does not concern us"}:
            healed += 1
            differences.append(f"{fact.kind}: order {fact.order_id}: {result}")
        differences.extend(_amounts(fact))
    differences.extend(f"the booking {one} does not balance" for one in ledger.unbalanced())
    _forget_unpaid()
    services.send_refunds()
    with transaction.atomic():
        audit.record(actor=SYSTEM, act=Act.PAYMENTS_RECONCILED, purpose="orders")
        return Reconciliation.objects.create(
            ran_at=clock.now(), compared=compared, healed=healed, differences=differences
        )


def _amounts(fact: Fact) -> list[str]:
    """Return where our books and the payment service's differ for one payment."""
    if fact.kind != PAID:
        return []
    order = Order.objects.filter(payment_ref=fact.payment_ref).first()
    if order is None or order.paid_minor == fact.amount_minor:
        return []
    return [f"order {order.id}: {order.paid_minor} is booked, {fact.amount_minor} was paid"]


def _forget_unpaid() -> None:
    """End the orders that never reached a payment page."""
    old = clock.now() - dt.timedelta(days=1)
    Order.objects.filter(state=OrderState.CREATED, created_at__lt=old).update(state=OrderState.EXPIRED)


def end_overdue() -> int:
    """Fail every shoot that took longer than promised, which pays it back; return how many."""
    late = spending.overdue(clock.now() - dt.timedelta(hours=PROMISED_HOURS))
    for shoot_id in late:
        studio_tasks.fail(shoot_id, _LATE)
    return len(late)
