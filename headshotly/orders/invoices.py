"""Invoice numbers without gaps, and the receipt as PDF."""

from django.db import transaction

from headshotly.orders.models import Invoice, InvoiceSeries, Order
from headshotly.orders.money import Money
from headshotly.orders.packages import package
from headshotly.policy import clock, configuration
from headshotly.policy.documents import Document, Grid, Part, Text, render_pdf

KEPT_YEARS = 5


def issue(order: Order) -> Invoice:
    """Return the invoice of a paid order, with the next number of its year where there is none yet."""
    with transaction.atomic():
        there = Invoice.objects.filter(order=order).first()
        if there is not None:
            return there
        year = clock.now().year
        InvoiceSeries.objects.get_or_create(year=year)
        series = InvoiceSeries.objects.select_for_update().get(year=year)
        series.last += 1
        series.save(update_fields=["last"])
        chosen = package(order.package_id)
        return Invoice.objects.create(
            number=f"HS-{year}-{series.last:06d}",
            order=order,
            issued_at=clock.now(),
            description=f"{chosen.title}, {order.seats * chosen.headshots} headshots",
            gross_minor=order.paid_minor,
            tax_minor=order.tax_minor,
            currency=order.currency,
        )


def kept_until(invoice: Invoice) -> int:
    """Return the year in which an invoice may go: five years from the start of the next one (Art. 74(2), (3))."""
    return invoice.issued_at.year + 1 + KEPT_YEARS


def as_pdf(invoice: Invoice) -> bytes:
    """Return the receipt of an order as PDF, issued by the operator."""
    operator = configuration.current().operator
    net = invoice.gross_minor - invoice.tax_minor
    rows = ((invoice.description, str(Money(net)), str(Money(invoice.tax_minor)), str(Money(invoice.gross_minor))),)
    return render_pdf(
        Document(
            title=f"Receipt {invoice.number}",
            lead=(
                f"Issued {invoice.issued_at:%Y-%m-%d} by {operator.name}, {operator.postal_address}",
                f"Order {invoice.order_id}",
            ),
            parts=(
                Part("What was bought", (Grid(("", "Net", "VAT", "Total"), rows, (4, 1, 1, 1)),)),
                Part("Payment", (Text("Paid through Stripe. We have never seen your card."),)),
            ),
        ),
        operator=operator,
    )
