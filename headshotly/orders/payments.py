"""The seam to the payment service: Stripe, or the test checkout where no key is configured."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from headshotly.orders.models import Order, Refund
from headshotly.policy import configuration

PAID, REFUNDED, EXPIRED = "paid", "refunded", "expired"
DISPUTED, DISPUTE_WON, DISPUTE_LOST = "disputed", "dispute-won", "dispute-lost"


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
        amount_minor: what was paid, or in total refunded.
        tax_minor: the tax in it.
        currency: three letters.
        at: when it happened, seconds since 1970.
    """

    id: str
    kind: str
    order_id: str = ""
    checkout_ref: str = ""
    payment_ref: str = ""
    payer_ref: str = ""
    amount_minor: int = 0
    tax_minor: int = 0
    currency: str = "eur"
    at: int = 0

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

    def refund(self, order: Order, refund: Refund) -> str:
        """Send money back and return the refund's id. Raises as ``begin``."""

    def state_of(self, order: Order) -> list[Fact]:
        """Return what the service knows of one order now. Raises as ``begin``."""

    def recent(self, since: dt.datetime) -> Iterator[Fact]:
        """Yield what the service knows of every payment since a moment. Raises as ``begin``."""

    def read_event(self, body: bytes, signature: str) -> Fact:
        """Return what a message says, once its signature and age are checked.

        Raises:
            WebhookRefused: it is not from the service, too old, or not understood.
        """

    def portal(self, payer_ref: str, return_url: str) -> str:
        """Return the address where a customer looks after their payment details. Raises as ``begin``."""


def payments() -> Payments:
    """Return the payment service of this installation: Stripe where there is a key, else the test checkout."""
    options = configuration.current().options
    if options.get("stripe.secret_key"):
        from headshotly.orders.stripe_payments import StripePayments  # noqa: PLC0415 - only where it is used

        return StripePayments.configured()
    from headshotly.orders.rehearsal import Rehearsal  # noqa: PLC0415 - only where it is used

    return Rehearsal()
