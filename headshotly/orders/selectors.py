"""Reading the cash desk: one's own orders, what is left, what the law keeps, what finance sees."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from headshotly.orders import invoices, ledger, seats, services, spending
from headshotly.orders.models import (
    NOT_THERE_YET,
    Credit,
    Invoice,
    Order,
    Reconciliation,
    Refund,
    Seat,
    Spend,
    StoredEvent,
)
from headshotly.orders.money import Money
from headshotly.orders.packages import PACKAGES


def orders_of(subject: UUID) -> list[dict[str, Any]]:
    """Return a customer's orders as the page shows them, newest first."""
    return [_shown(order) for order in Order.objects.filter(subject=subject).order_by("-created_at")]


def order_of(subject: UUID, order_id: UUID) -> dict[str, Any] | None:
    """Return one of a customer's orders as the page shows it."""
    order = Order.objects.filter(id=order_id, subject=subject).first()
    return _shown(order) if order else None


def _shown(order: Order) -> dict[str, Any]:
    returned = ledger.went_back(order)
    waiting = Refund.objects.filter(order=order, payment_ref="").exclude(sent_at__isnull=False, returned_at=None)
    return {
        "order": order,
        "package": PACKAGES.get(order.package_id),
        "price": Money(order.paid_minor or order.price_minor),
        "returned": Money(returned) if returned else None,
        "discount": Money(order.discount_minor) if order.discount_minor else None,
        "on_its_way": waiting.exists(),
        "invoice": Invoice.objects.filter(order=order).first(),
        "refundable": services.refundable(order) == "",
        "seats": seats.shown(Seat.objects.filter(order=order).order_by("id")),
        "seats_taken": Seat.objects.filter(order=order, taken_at__isnull=False).count(),
    }


def left(subject: UUID) -> int:
    """Return how many headshots a customer may still have made."""
    return spending.left(subject)


def invoice_of(subject: UUID, order_id: UUID) -> Invoice | None:
    """Return the invoice of one's own order."""
    return Invoice.objects.filter(order_id=order_id, order__subject=subject).select_related("order").first()


def kept_after_erasure(subject: UUID) -> list[str]:
    """Return one sentence for each invoice that the law wants kept of a leaving customer."""
    mine = Invoice.objects.filter(order__subject=subject).order_by("number")
    return [
        f"Invoice {one.number}, amounts only, until the end of {invoices.kept_until(one)} "
        "(Polish Accounting Act, Art. 74)."
        for one in mine
    ]


def billed_abroad(subject: UUID) -> bool:
    """Say whether every known address of a customer's bills lies outside the United States; no where none is known."""
    known = set(
        Order.objects.filter(subject=subject, billed_abroad__isnull=False).values_list("billed_abroad", flat=True)
    )
    return known == {True}


def export_of(subject: UUID) -> dict[str, Any]:
    """Return what the cash desk holds about a customer, as plain JSON data."""
    return {
        "orders": [
            {
                "id": str(one["order"].id),
                "package": one["order"].package_id,
                "seats": one["order"].seats,
                "state": one["order"].state,
                "paid_minor": one["order"].paid_minor,
                "tax_minor": one["order"].tax_minor,
                "currency": one["order"].currency,
                "billed_outside_the_united_states": one["order"].billed_abroad,
                "created_at": one["order"].created_at,
                "paid_at": one["order"].paid_at,
                "invoice": one["invoice"].number if one["invoice"] else None,
            }
            for one in orders_of(subject)
        ],
        "shoots_paid_with": [
            {"shoot": str(one.shoot_id), "headshots": len(one.pieces), "state": one.state, "at": one.reserved_at}
            for one in Spend.objects.filter(credit__subject=subject).order_by("id")
        ],
        "seats": [
            {"order": str(one.order_id), "taken_at": one.taken_at} for one in Seat.objects.filter(subject=subject)
        ],
        "headshots_left": sum(one.granted - one.used for one in Credit.objects.filter(subject=subject)),
    }


def newest(count: int = 200) -> QuerySet[Order]:
    """Return the newest orders, for finance: amounts and states, nobody's face or name."""
    return Order.objects.order_by("-created_at")[:count]


def open_refunds() -> QuerySet[Refund]:
    """Return every refund that was asked for and has not reached the buyer."""
    return Refund.objects.filter(NOT_THERE_YET).select_related("order").order_by("asked_at")


def stuck_messages() -> QuerySet[StoredEvent]:
    """Return every message of the payment service that was kept and could not be acted upon yet."""
    return StoredEvent.objects.filter(done_at__isnull=True).exclude(result="").order_by("received_at")


def last_reconciliation() -> Reconciliation | None:
    """Return the newest comparison with the payment service."""
    return Reconciliation.objects.order_by("-ran_at").first()
