"""Invoice numbers without gaps, and the receipt as PDF."""

import datetime as dt

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from headshotly.orders import ledger
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
    """Return the last year in which an invoice is kept: five from the start of the next one (Art. 74(2), (3))."""
    return invoice.issued_at.year + KEPT_YEARS


def law_until(now: dt.datetime) -> dt.datetime:
    """Return the moment before which an invoice was issued that no law keeps any longer."""
    return dt.datetime(now.year - KEPT_YEARS, 1, 1, tzinfo=dt.UTC)


def _money(minor: int) -> str:
    return str(Money(minor))


def as_pdf(invoice: Invoice) -> bytes:
    """Return the receipt of an order as PDF in the language in force, issued by the operator."""
    operator, order = configuration.current().operator, invoice.order
    chosen = package(order.package_id)
    what = _("%(package)s, %(n)d headshots") % {
        "package": _(chosen.title),
        "n": order.seats * chosen.headshots,
    }
    net = invoice.gross_minor - invoice.tax_minor
    rows = [(what, _money(net), _money(invoice.tax_minor), _money(invoice.gross_minor))]
    sold = Grid(("", _("Net"), _("VAT"), _("Total")), tuple(rows), (4, 1, 1, 1))
    words = [Text(_paid_through(order))]
    if order.discount_minor:
        words.append(Text(_("A coupon took off %(money)s.") % {"money": _money(order.discount_minor)}))
    parts = [Part(_("What was bought"), (sold,)), Part(_("Payment"), tuple(words))]
    gone = ledger.went_back(order)
    if gone:
        back = _("%(money)s went back to the buyer; %(rest)s of this sale stands.") % {
            "money": _money(gone), "rest": _money(invoice.gross_minor - gone),
        }  # fmt: skip
        parts.append(Part(_("Refund"), (Text(back),)))
    issued = _("Issued %(day)s by %(name)s, %(address)s") % {
        "day": f"{invoice.issued_at:%Y-%m-%d}",
        "name": operator.name,
        "address": operator.postal_address,
    }
    document = Document(
        title=_("Receipt %(number)s") % {"number": invoice.number},
        lead=(issued, _("Order %(id)s") % {"id": invoice.order_id}),
        parts=tuple(parts),
        language=(get_language() or "en")[:2],
        page_word=_("Page"),
    )
    return render_pdf(document, operator=operator)


def _paid_through(order: Order) -> str:
    if order.provider == "stripe":
        return _("Paid through Stripe. We have never seen your card.")
    return _("Test checkout: no money has moved, and this is no invoice.")
