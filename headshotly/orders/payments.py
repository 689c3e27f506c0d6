"""The seam to the payment service: Stripe, or the test checkout where no key is configured."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from headshotly.orders.models import Order, Refund
from headshotly.policy import configuration

PAID, REFUNDED, EXPIRED = "paid", "refunded", "expired"
DISPUTED, DISPUTE_WON, DISPUTE_LOST = "disputed", "dispute-won", "dispute-lost"
REFUND_RETURNED = "refund-returned"
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where a customer pays."""

    ref: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What the payment service says of one order, in our own words; nothing personal is in it.

    Attributes:
        id: of the event, unique; the same event told twice has the same.
        kind: one of the words above, or empty for what does not concern us.
        order_id: of our order, as we gave it along; empty where unknown.
        checkout_ref: the session's id.
        payment_ref: the payment's id.
        payer_ref: the payment service's own id of the customer, for its portal.
        amount_minor: what was paid, refunded or disputed.
        tax_minor: the tax in it.
        discount_minor: what a coupon took off.
        dispute_ref: the dispute's id.
        refund_ref: the refund's id.
        ours: of a refund that we asked for, its id here.
        currency: three letters.
        at: when it happened, seconds since 1970.
        billed_abroad: whether the billing address lies outside the United States; None where it is not known. The
            address itself is not read any further.
    """

    id: str
    kind: str
    order_id: str = ""
    checkout_ref: str = ""
    payment_ref: str = ""
    payer_ref: str = ""
    amount_minor: int = 0
    tax_minor: int = 0
    discount_minor: int = 0
    dispute_ref: str = ""
    refund_ref: str = ""
    ours: str = ""
    currency: str = "eur"
    at: int = 0
    billed_abroad: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as stored."""
        return asdict(self)


class Payments(Protocol):
    """A payment service. Every call may be made again: the same order or refund is never done twice."""

    name: str

    def begin(self, order: Order, *, title: str) -> Checkout:
        """Open a payment page for an order.

        Raises:
            PaymentsUnavailable: it may or may not be open; asking again gives the same one.
        """

    def page_of(self, order: Order) -> Checkout | None:
        """Return the page that was opened for an order, or None where it is over. Raises as ``begin``."""

    def refund(self, order: Order, refund: Refund) -> str:
        """Send money back and return the refund's id.

        Raises:
            PaymentsUnavailable: it may or may not be sent; asking again sends the same one.
            NothingLeft: the payment service has given everything of this payment back already.
            TooMuch: less is left of the payment than shall go back, and this refund was not made.
        """

    def events(self, since: dt.datetime) -> Iterator[Fact]:
        """Yield every message since a moment, with the ids they were sent under. Raises as ``begin``."""

    def recent(self, since: dt.datetime) -> Iterator[Fact]:
        """Yield how every payment stands now that began since a moment. Raises as ``begin``."""

    def read_event(self, body: bytes, signature: str) -> Fact:
        """Return what a message says, once its signature and age are checked.

        Raises:
            WebhookRefused: it is not from the service, too old, or not understood.
        """

    def portal(self, payer_ref: str, return_url: str) -> str:
        """Return the address where a customer looks after their payment details. Raises as ``begin``."""

    def forget(self, payer_ref: str) -> None:
        """Have a payer forgotten; one who is forgotten already is fine. Raises as ``begin``."""


def payments() -> Payments:
    """Return the payment service of this installation: Stripe where there is a key, else the test checkout."""
    options = configuration.current().options
    if options.get("stripe.secret_key"):
        from headshotly.orders.stripe_payments import StripePayments  # noqa: PLC0415 - only where it is used

        return StripePayments.configured()
    from headshotly.orders.rehearsal import Rehearsal  # noqa: PLC0415 - only where it is used

    return Rehearsal()
