"""Reading the cash desk: one's own orders, what is left, what the law keeps, what finance sees."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from headshotly.orders import invoices, ledger, services, spending
from headshotly.orders.models import Credit, Invoice, Order, Reconciliation, Refund, Seat
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
    returned = order.paid_minor - ledger.balance(order) if order.paid_minor else 0
    return {
        "order": order,
        "package": PACKAGES.get(order.package_id),
        "price": Money(order.paid_minor or order.price_minor),
        "returned": Money(returned) if returned else None,
        "on_its_way": Refund.objects.filter(order=order, sent_at__isnull=True).exists(),
        "invoice": Invoice.objects.filter(order=order).first(),
        "refundable": services.refundable(order) == "",
        "seats": list(Seat.objects.filter(order=order).order_by("id")),
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
        f"Invoice {one.number}, amounts only, until the end of {invoices.kept_until(one) - 1} "
        "(Polish Accounting Act, Art. 74)."
        for one in mine
    ]


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
                "created_at": one["order"].created_at,
                "paid_at": one["order"].paid_at,
                "invoice": one["invoice"].number if one["invoice"] else None,
            }
            for one in orders_of(subject)
        ],
        "headshots_left": sum(one.granted - one.used for one in Credit.objects.filter(subject=subject)),
    }


def newest(count: int = 200) -> QuerySet[Order]:
    """Return the newest orders, for finance: amounts and states, nobody's face or name."""
    return Order.objects.order_by("-created_at")[:count]


def open_refunds() -> QuerySet[Refund]:
    """Return every refund that was asked for and not sent yet."""
    return Refund.objects.filter(sent_at__isnull=True).select_related("order").order_by("asked_at")


def last_reconciliation() -> Reconciliation | None:
    """Return the newest comparison with the payment service."""
    return Reconciliation.objects.order_by("-ran_at").first()
