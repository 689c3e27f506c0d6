"""Double entry: each booking's sides add up to nothing, and each booking is made once."""

from django.db import transaction
from django.db.models import Sum

from headshotly.orders.models import Order, Posting
from headshotly.policy import clock

STRIPE, REVENUE, VAT = "stripe", "revenue", "vat"


def book(*, booking: str, order: Order, sides: dict[str, int]) -> bool:
    """Write a booking, unless it is written already.

    Args:
        booking: names what happened, such as ``payment:<order>``; unique.
        order: whose money.
        sides: account → minor units; they add up to nothing.

    Returns:
        Whether it is new.

    Raises:
        ValueError: the sides do not add up to nothing.
    """
    if sum(sides.values()) != 0:
        raise ValueError(f"{booking} does not balance: {sides}")
    with transaction.atomic():
        Order.objects.select_for_update().get(id=order.id)  # so that two cannot both find nothing written
        if Posting.objects.filter(booking=booking).exists():
            return False
        Posting.objects.bulk_create(
            Posting(
                booking=booking,
                account=account,
                order=order,
                minor=minor,
                currency=order.currency,
                booked_at=clock.now(),
            )
            for account, minor in sides.items()
            if minor
        )
    return True


def book_payment(order: Order) -> bool:
    """Book what was paid for an order."""
    net = order.paid_minor - order.tax_minor
    return book(
        booking=f"payment:{order.id}",
        order=order,
        sides={STRIPE: order.paid_minor, REVENUE: -net, VAT: -order.tax_minor},
    )


def book_refund(order: Order, *, name: str, minor: int) -> bool:
    """Book money that went back; the tax in it goes back in proportion."""
    tax = minor * order.tax_minor // order.paid_minor if order.paid_minor else 0
    return book(
        booking=f"refund:{order.id}:{name}",
        order=order,
        sides={STRIPE: -minor, REVENUE: minor - tax, VAT: tax},
    )


def balance(order: Order, account: str = STRIPE) -> int:
    """Return what stands on an account for one order, in minor units."""
    total: int | None = Posting.objects.filter(order=order, account=account).aggregate(total=Sum("minor"))["total"]
    return total or 0


def unbalanced() -> list[str]:
    """Return every booking whose sides do not add up to nothing; there is none unless somebody wrote by hand."""
    sums = Posting.objects.values("booking").annotate(total=Sum("minor")).exclude(total=0)
    return sorted(row["booking"] for row in sums)
