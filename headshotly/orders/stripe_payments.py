"""Stripe, by redirect to its own pages: a card number never comes near us (clauses 7.1.a, 7.1.b).

The one place that imports ``stripe``. Every call carries an idempotency key, so that a call that happened but
reported failure is not made twice.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import stripe

from headshotly.orders.errors import Contested, NothingLeft, PaymentsUnavailable, TooMuch, WebhookRefused
from headshotly.orders.models import Order, Refund
from headshotly.orders.money import tax_within
from headshotly.orders.packages import VAT_PERCENT
from headshotly.orders.payments import (
    DISPUTE_LOST,
    DISPUTE_WON,
    DISPUTED,
    EXPIRED,
    PAID,
    REFUND_RETURNED,
    REFUNDED,
    UNREADABLE,
    Checkout,
    Fact,
)  # fmt: skip
from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces
from headshotly.vendors import categories, gate, way_out
from headshotly.vendors.closures import VendorClosed
from headshotly.vendors.errors import EgressRefused

API_VERSION = "2026-10-28.endive"
TOLERANCE_SECONDS = 300
_TIMEOUT_SECONDS, _RETRIES = 20, 2
_REFUND_EVENTS = {"refund.created": REFUNDED, "refund.failed": REFUND_RETURNED}
_PAID_EVENTS = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
_UNAVAILABLE = "The payment service cannot be reached at the moment. Nothing was charged; please try again soon."

_REFUSED = "The payment service refused this. Nothing was charged; we look into it."


class _Missing(PaymentsUnavailable):
    """The payment service has no such thing."""


class StripePayments:
    """The payment service in production."""

    name = "stripe"

    def __init__(self, *, secret_key: str, webhook_secret: str, tax: bool, address: str = "") -> None:
        """Take the keys.

        Args:
            secret_key: of the Stripe account.
            webhook_secret: signs what Stripe sends us.
            tax: whether Stripe Tax works out the tax.
            address: of the API, where it is not Stripe's own.
        """
        self._host = urlsplit(address or stripe.DEFAULT_API_BASE).hostname or ""
        addresses: Any = {"api": address} if address else None
        self._client = stripe.StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            base_addresses=addresses,
            max_network_retries=_RETRIES,
            http_client=stripe.RequestsClient(timeout=_TIMEOUT_SECONDS),
        )
        self._webhook_secret, self._tax = webhook_secret, tax

    @classmethod
    def configured(cls) -> "StripePayments":
        """Return it as the operator configured it (options ``stripe.secret_key``, ``stripe.webhook_secret``, …).

        Raises:
            PaymentsUnavailable: the key is for real money where nobody shall pay, or the other way round.
        """
        here = configuration.current()
        options, key = here.options, here.options["stripe.secret_key"]
        if ("_live_" in key) != (here.environment == "production"):
            raise PaymentsUnavailable("The payment service's key is not for this kind of installation.")
        return cls(
            secret_key=key,
            webhook_secret=options.get("stripe.webhook_secret", ""),
            tax=options.get("stripe.tax", "off") == "on",
            address=options.get("stripe.address", ""),
        )

    @enforces("7.1.a", "7.1.b")
    def begin(self, order: Order, *, title: str) -> Checkout:
        """Open a Checkout session; its page is Stripe's."""
        here = configuration.current().public_url
        session = self._asked(
            lambda: self._client.v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "client_reference_id": str(order.id),
                    "line_items": [
                        {
                            "quantity": order.seats,
                            "price_data": {
                                "currency": order.currency,
                                "unit_amount": order.price_minor // order.seats,
                                "tax_behavior": "inclusive",
                                "product_data": {"name": title},
                            },
                        }
                    ],
                    "automatic_tax": {"enabled": self._tax},
                    "tax_id_collection": {"enabled": self._tax},
                    "adaptive_pricing": {"enabled": False},
                    "allow_promotion_codes": True,
                    "customer_creation": "always",
                    "invoice_creation": {"enabled": True},
                    "metadata": {"order_id": str(order.id)},
                    "payment_intent_data": {"metadata": {"order_id": str(order.id)}},
                    "success_url": f"{here}/orders/{order.id}/",
                    "cancel_url": f"{here}/orders/{order.id}/",
                },
                {"idempotency_key": f"order-{order.id}"},
            )
        )
        return Checkout(session.id, session.url or "")

    def page_of(self, order: Order) -> Checkout | None:
        """Ask whether the session still waits for its payment."""
        session = self._asked(lambda: self._client.v1.checkout.sessions.retrieve(order.checkout_ref))
        return Checkout(session.id, session.url) if session.status == "open" and session.url else None

    def refund(self, order: Order, refund: Refund) -> str:
        """Send money back through Stripe, after looking whether it went already: keys are kept for a day only."""
        payment = refund.payment_ref or order.payment_ref
        wanted: Any = {"payment_intent": payment, "limit": 100}
        there = self._asked(lambda: self._client.v1.refunds.list(wanted), cannot_wait=True)
        mine = {"order_id": str(order.id), "refund_id": str(refund.id), "attempt": str(refund.attempt)}
        for one in there.data:
            noted: Any = one.metadata
            if _refund_id(one) == mine["refund_id"] and noted["attempt"] == mine["attempt"]:
                return str(one.id)
        made = self._asked(
            lambda: self._client.v1.refunds.create(
                {"payment_intent": payment, "amount": refund.minor, "metadata": mine},
                {"idempotency_key": f"refund-{refund.id}-{refund.attempt}"},
            ),
            cannot_wait=True,
        )
        return str(made.id)

    def events(self, since: dt.datetime) -> Iterator[Fact]:
        """Walk through every event since a moment; Stripe keeps them for thirty days."""
        wanted: Any = {"created": {"gte": int(since.timestamp())}, "types": list(_EVENTS), "limit": 100}
        found = self._asked(lambda: self._client.v1.events.list(wanted))
        iterator = found.auto_paging_iter()
        while (event := self._asked(lambda: next(iterator, None))) is not None:
            try:
                yield _understood(self._translated, event)
            except WebhookRefused:
                yield Fact(id=event.id, kind=UNREADABLE, at=event.created)

    def recent(self, since: dt.datetime) -> Iterator[Fact]:
        """Walk through every session and every refund since a moment."""
        wanted: Any = {"created": {"gte": int(since.timestamp())}, "limit": 100}
        sessions = self._asked(lambda: self._client.v1.checkout.sessions.list(wanted)).auto_paging_iter()
        while (session := self._asked(lambda: next(sessions, None))) is not None:
            said = self._of_session(session, name=f"look:{session.id}")
            if said.kind:
                yield said
        refunds = self._asked(lambda: self._client.v1.refunds.list(wanted)).auto_paging_iter()
        while (refund := self._asked(lambda: next(refunds, None))) is not None:
            yield _of_refund(refund, REFUNDED, name=f"look:{refund.id}", at=refund.created)
            if refund.status in {"failed", "canceled"}:
                yield _of_refund(refund, REFUND_RETURNED, name=f"look:{refund.id}:returned", at=refund.created)

    def _asked[Answer](self, ask: Callable[[], Answer], *, cannot_wait: bool = False) -> Answer:
        """Go through the gate, and turn what the library raises into what this house says.

        Args:
            ask: makes the call.
            cannot_wait: money back and deletions go on while the vendor is looked into.
        """
        try:
            if self._host not in way_out.LOOPBACK:
                gate.require(self._host, carries=(categories.PAYMENTS,), cannot_wait=cannot_wait, routine=True)
            return ask()
        except (EgressRefused, VendorClosed) as error:
            raise PaymentsUnavailable(_UNAVAILABLE) from error
        except stripe.StripeError as error:
            # Its text may name a customer; its kind is enough.
            match error.code:
                case "charge_already_refunded":
                    raise NothingLeft("The payment service has nothing left of this.") from error
                case "charge_disputed":
                    raise Contested("The customer's bank looks into this payment.") from error
                case _ if getattr(error, "param", None) == "amount":
                    raise TooMuch("Less is left of the payment than shall go back.") from error
                case "resource_missing":
                    raise _Missing(_REFUSED) from error
                case _:
                    refused = isinstance(error, stripe.InvalidRequestError)
                    raise PaymentsUnavailable(_REFUSED if refused else _UNAVAILABLE) from error

    @enforces("7.1.a")
    def read_event(self, body: bytes, signature: str) -> Fact:
        """Check the signature with Stripe's own library and translate the event."""
        if not self._webhook_secret:
            raise WebhookRefused("This installation expects no messages from Stripe.")
        if not signature.isascii():
            raise WebhookRefused("The message is not from Stripe, or too old.")
        try:
            event: Any = stripe.Webhook.construct_event(
                body, signature, self._webhook_secret, tolerance=TOLERANCE_SECONDS
            )
        except (ValueError, AttributeError, TypeError, stripe.SignatureVerificationError) as error:
            raise WebhookRefused("The message is not from Stripe, or too old.") from error
        return _understood(self._translated, event)

    def _translated(self, event: Any) -> Fact:
        about, kind = event.data.object, event.type
        if kind in _PAID_EVENTS:
            return self._of_session(about, name=event.id, at=event.created)
        if kind in _REFUND_EVENTS:
            return _of_refund(about, _REFUND_EVENTS[kind], name=event.id, at=event.created)
        translate = _BY_TYPE.get(kind)
        return translate(about, event) if translate else Fact(id=event.id, kind="", at=event.created)

    def _of_session(self, session: Any, *, name: str, at: int = 0) -> Fact:
        paid = session.payment_status == "paid" or (
            session.payment_status == "no_payment_required" and session.status == "complete"
        )
        kind = PAID if paid else EXPIRED if session.status == "expired" else ""
        payment = session.payment_intent
        amount = session.amount_total or 0
        details = getattr(session, "total_details", None)
        discount = getattr(details, "amount_discount", 0) or 0
        tax = (getattr(details, "amount_tax", 0) or 0) if self._tax else tax_within(amount, VAT_PERCENT)
        return Fact(
            id=name,
            kind=kind,
            order_id=_order_of(session),
            checkout_ref=session.id,
            payment_ref=payment if isinstance(payment, str) else getattr(payment, "id", "") or "",
            payer_ref=_reference(getattr(session, "customer", "")),
            amount_minor=amount,
            tax_minor=tax,
            discount_minor=discount,
            currency=session.currency or "eur",
            at=at or session.created,
            billed_abroad=_billed_abroad(session),
        )

    def portal(self, payer_ref: str, return_url: str) -> str:
        """Open Stripe's customer portal."""
        session = self._asked(
            lambda: self._client.v1.billing_portal.sessions.create({"customer": payer_ref, "return_url": return_url})
        )
        return str(session.url)

    def forget(self, payer_ref: str) -> None:
        """Delete the customer at Stripe; what the law has Stripe keep of the payment stays there."""
        try:
            self._asked(lambda: self._client.v1.customers.delete(payer_ref), cannot_wait=True)
        except _Missing:
            return


def _reference(thing: Any) -> str:
    return thing if isinstance(thing, str) else getattr(thing, "id", "") or ""


def _order_of(about: Any) -> str:
    metadata = getattr(about, "metadata", None)
    noted = metadata["order_id"] if metadata and "order_id" in metadata else ""
    return getattr(about, "client_reference_id", None) or noted or ""


def _of_unpaid(session: Any, event: Any) -> Fact:
    return Fact(
        id=event.id, kind=EXPIRED, order_id=_order_of(session), checkout_ref=session.id, at=event.created
    )  # fmt: skip


def _of_dispute(dispute: Any, event: Any) -> Fact:
    kind = DISPUTED
    if event.type == "charge.dispute.closed":
        kind = DISPUTE_LOST if dispute.status == "lost" else DISPUTE_WON  # warnings close without a loss
    return Fact(
        id=event.id,
        kind=kind,
        order_id=_order_of(dispute),
        payment_ref=_reference(dispute.payment_intent),
        dispute_ref=dispute.id,
        amount_minor=dispute.amount,
        currency=dispute.currency,
        at=event.created,
    )


def _billed_abroad(session: Any) -> bool | None:
    details = getattr(session, "customer_details", None)
    country = getattr(getattr(details, "address", None), "country", None)
    return country != "US" if isinstance(country, str) and country else None


def _refund_id(refund: Any) -> str:
    metadata = getattr(refund, "metadata", None)
    return str(metadata["refund_id"]) if metadata and "refund_id" in metadata else ""


def _of_refund(refund: Any, kind: str, *, name: str, at: int) -> Fact:
    return Fact(
        id=name,
        kind=kind,
        order_id=_order_of(refund),
        payment_ref=_reference(refund.payment_intent),
        refund_ref=refund.id,
        ours=_refund_id(refund),
        amount_minor=refund.amount,
        currency=refund.currency,
        at=at,
    )


_BY_TYPE: dict[str, Callable[[Any, Any], Fact]] = {
    "checkout.session.expired": _of_unpaid,
    "checkout.session.async_payment_failed": _of_unpaid,
    "charge.dispute.created": _of_dispute,
    "charge.dispute.closed": _of_dispute,
}
_EVENTS = (*_PAID_EVENTS, *_REFUND_EVENTS, *_BY_TYPE)


def _understood(translate: Callable[[Any], Fact], event: Any) -> Fact:
    try:
        return translate(event)
    except (AttributeError, KeyError, TypeError) as error:
        raise WebhookRefused("The message has not the form that was agreed.") from error
