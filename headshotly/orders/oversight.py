"""Whether orders, books, messages and refunds are as they must be, for whoever proves it."""

import datetime as dt
from uuid import UUID

from headshotly.orders import ledger, states
from headshotly.orders.errors import PaymentsUnavailable, WebhookRefused
from headshotly.orders.models import Order, Posting, Refund
from headshotly.orders.payments import Payments, payments
from headshotly.orders.selectors import last_reconciliation, stuck_messages
from headshotly.policy import clock

_FORGED = {
    "without a signature": "",
    "with a made-up signature": "t=1,v1=00",
    "with a signature in other letters": "ż",
    "with a signature of zeros": f"t=4102444800,v1={'0' * 64}",
}


def payment_service() -> str:
    """Return the name of this installation's payment service, or nothing where none can be used."""
    try:
        return payments().name
    except PaymentsUnavailable:
        return ""


def forged_messages() -> tuple[int, list[str]]:
    """Hand the payment service's adapter messages that nobody signed; return how many, and which were believed."""
    try:
        service = payments()
    except PaymentsUnavailable:
        return len(_FORGED), []
    return len(_FORGED), [name for name, signature in _FORGED.items() if _believed(service, signature)]


def _believed(service: Payments, signature: str) -> bool:
    try:
        service.read_event(b'{"id": "forged", "kind": "paid"}', signature)
    except WebhookRefused:
        return False
    return True


def irregularities(*, patience: dt.timedelta) -> list[str]:
    """Return in words what is not as it must be with orders, books, messages and refunds.

    Args:
        patience: how long a message, a refund or the daily comparison may wait.
    """
    old = clock.now() - patience
    bad = [f"the booking {one} does not balance" for one in ledger.unbalanced()]
    bad += [f"order {one} was paid another way" for one in _paid_elsewhere()]
    bad += [f"order {one} is called paid, and its payment is not in the books" for one in _unbooked()]
    late = Refund.objects.filter(sent_at__isnull=True, asked_at__lt=old).values_list("id", flat=True)
    bad += [f"the refund {one} waits since more than {patience.days} days" for one in late]
    bad += [
        f"the message {one.id} waits"
        for one in stuck_messages()
        if one.received_at < old and one.result.startswith("failed")
    ]
    last = last_reconciliation()
    first = Order.objects.order_by("created_at").first()
    if first and max(first.created_at, last.ran_at if last else first.created_at) < old:
        bad.append(f"the daily comparison was not made for more than {patience.days} days")
    return bad


def _paid_elsewhere() -> list[UUID]:
    paid = Order.objects.filter(paid_at__isnull=False)
    return list(paid.exclude(provider__in=["stripe", "rehearsal"]).values_list("id", flat=True))


def _unbooked() -> list[UUID]:
    """Return the paid orders whose payment is not booked with the amount it had."""
    called = Order.objects.exclude(state__in=states.UNPAID).filter(paid_minor__gt=0)
    booked = dict(
        Posting.objects.filter(account=ledger.STRIPE, booking__startswith="payment:").values_list("order_id", "minor")
    )
    return [one for one, minor in called.values_list("id", "paid_minor") if booked.get(one) != minor]


def count_orders() -> int:
    """Return how many orders there are."""
    return Order.objects.count()
