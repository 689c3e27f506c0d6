"""Double entry: each booking's sides add up to nothing, and each booking is made once."""

from django.db import transaction
from django.db.models import Sum

from headshotly.orders.models import Order, Posting
from headshotly.policy import clock

STRIPE, REVENUE, VAT, OWED = "stripe", "revenue", "vat", "owed"


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


def _back(order: Order, minor: int) -> dict[str, int]:
    """Return the sides of money going back; the tax in it goes in proportion, the last cent with the last euro."""
    gone = went_back(order)
    total, tax = max(order.paid_minor, 1), order.tax_minor
    part = (gone + minor) * tax // total - gone * tax // total
    return {STRIPE: -minor, REVENUE: minor - part, VAT: part}


def book_refund(order: Order, *, name: str, minor: int) -> bool:
    """Book money that went back."""
    return book(booking=f"refund:{order.id}:{name}", order=order, sides=_back(order, minor))


def book_returned(order: Order, *, name: str, minor: int) -> bool:
    """Book a refund that the bank could not pay out: the money is with us again."""
    return book(booking=f"returned:{order.id}:{name}", order=order, sides=_back(order, -minor))


def book_dispute(order: Order, *, ref: str, minor: int) -> bool:
    """Book what was lost to a dispute."""
    return book(booking=f"dispute:{order.id}:{ref}", order=order, sides=_back(order, minor))


def book_second(order: Order, *, payment_ref: str, minor: int) -> bool:
    """Book a second payment for one order: it is no revenue, it is owed back."""
    return book(booking=f"second:{order.id}:{payment_ref}", order=order, sides={STRIPE: minor, OWED: -minor})


def book_second_back(order: Order, *, name: str, minor: int) -> bool:
    """Book that a second payment went back; a negative amount, that the bank returned it to us."""
    return book(booking=f"second-back:{order.id}:{name}", order=order, sides={STRIPE: -minor, OWED: minor})


def _sum(order: Order, *kinds: str) -> int:
    return sum(
        Posting.objects.filter(order=order, account=STRIPE, booking__startswith=f"{kind}:").aggregate(
            total=Sum("minor")
        )["total"]
        or 0
        for kind in kinds
    )


def went_back(order: Order) -> int:
    """Return what went back of an order's payment, by refund or by dispute, in minor units."""
    return -_sum(order, "refund", "returned", "dispute")


def balance(order: Order, account: str = STRIPE) -> int:
    """Return what stands on an account for one order, in minor units."""
    total: int | None = Posting.objects.filter(order=order, account=account).aggregate(total=Sum("minor"))["total"]
    return total or 0


def unbalanced() -> list[str]:
    """Return every booking whose sides do not add up to nothing; there is none unless somebody wrote by hand."""
    sums = Posting.objects.values("booking").annotate(total=Sum("minor")).exclude(total=0)
    return sorted(row["booking"] for row in sums)
