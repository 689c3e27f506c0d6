"""Stripe, by redirect to its own pages: a card number never comes near us (clauses 7.1.a, 7.1.b).

The one place that imports ``stripe``. Every call carries an idempotency key, so that a call that happened but
reported failure is not made twice.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import stripe

from headshotly.orders.errors import PaymentsUnavailable, WebhookRefused
from headshotly.orders.models import Order, Refund
from headshotly.orders.money import tax_within
from headshotly.orders.packages import VAT_PERCENT
from headshotly.orders.payments import (
    DISPUTE_LOST,
    DISPUTE_WON,
    DISPUTED,
    EXPIRED,
    PAID,
    REFUNDED,
    Checkout,
    Fact,
)  # fmt: skip
from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces

API_VERSION = "2026-10-28.endive"
TOLERANCE_SECONDS = 300
_OPEN_MINUTES = 60
_UNAVAILABLE = "The payment service cannot be reached at the moment. Nothing was charged; please try again soon."


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
        addresses: Any = {"api": address} if address else None
        self._client = stripe.StripeClient(
            secret_key, stripe_version=API_VERSION, base_addresses=addresses, max_network_retries=2
        )
        self._webhook_secret, self._tax = webhook_secret, tax

    @classmethod
    def configured(cls) -> "StripePayments":
        """Return it as the operator configured it (options ``stripe.secret_key``, ``stripe.webhook_secret``, …)."""
        options = configuration.current().options
        return cls(
            secret_key=options["stripe.secret_key"],
            webhook_secret=options.get("stripe.webhook_secret", ""),
            tax=options.get("stripe.tax", "off") == "on",
            address=options.get("stripe.address", ""),
        )

    @enforces("7.1.a", "7.1.b")
    def begin(self, order: Order, *, title: str) -> Checkout:
        """Open a Checkout session; its page is Stripe's."""
        here = configuration.current().public_url
        session = _asked(
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
                    "allow_promotion_codes": True,
                    "customer_creation": "always",
                    "invoice_creation": {"enabled": True},
                    "metadata": {"order_id": str(order.id)},
                    "payment_intent_data": {"metadata": {"order_id": str(order.id)}},
                    "success_url": f"{here}/orders/{order.id}/",
                    "cancel_url": f"{here}/orders/{order.id}/",
                    "expires_at": int(order.created_at.timestamp()) + _OPEN_MINUTES * 60,
                },
                {"idempotency_key": f"order-{order.id}"},
            )
        )
        return Checkout(session.id, session.url or "")

    def refund(self, order: Order, refund: Refund) -> str:
        """Send money back through Stripe."""
        made = _asked(
            lambda: self._client.v1.refunds.create(
                {
                    "payment_intent": order.payment_ref,
                    "amount": refund.minor,
                    "metadata": {"order_id": str(order.id), "refund_id": str(refund.id)},
                },
                {"idempotency_key": f"refund-{refund.id}"},
            )
        )
        return str(made.id)

    def state_of(self, order: Order) -> list[Fact]:
        """Ask for the session, and for the charge where there is a payment."""
        if not order.checkout_ref:
            return []
        session = _asked(
            lambda: self._client.v1.checkout.sessions.retrieve(
                order.checkout_ref, {"expand": ["payment_intent.latest_charge"]}
            )
        )
        return list(self._facts_of(session))

    def recent(self, since: dt.datetime) -> Iterator[Fact]:
        """Walk through every session since a moment."""
        sessions = _asked(
            lambda: self._client.v1.checkout.sessions.list(
                {
                    "created": {"gte": int(since.timestamp())},
                    "limit": 100,
                    "expand": ["data.payment_intent.latest_charge"],
                }
            )
        )
        iterator = sessions.auto_paging_iter()
        while (session := _asked(lambda: next(iterator, None))) is not None:
            yield from self._facts_of(session)

    def _facts_of(self, session: Any) -> Iterator[Fact]:
        said = self._of_session(session, name=f"look:{session.id}")
        if said.kind:
            yield said
        charge = getattr(getattr(session, "payment_intent", None), "latest_charge", None)
        if charge is not None and not isinstance(charge, str) and charge.amount_refunded:
            yield _of_charge(charge, name=f"look:{charge.id}:{charge.amount_refunded}", order_id=said.order_id)

    @enforces("7.1.a")
    def read_event(self, body: bytes, signature: str) -> Fact:
        """Check the signature with Stripe's own library and translate the event."""
        if not self._webhook_secret:
            raise WebhookRefused("This installation expects no messages from Stripe.")
        try:
            event: Any = stripe.Webhook.construct_event(
                body, signature, self._webhook_secret, tolerance=TOLERANCE_SECONDS
            )
        except (ValueError, stripe.SignatureVerificationError) as error:
            raise WebhookRefused("The message is not from Stripe, or too old.") from error
        try:
            return self._translated(event)
        except (AttributeError, KeyError, TypeError) as error:
            raise WebhookRefused("The message has not the form that was agreed.") from error

    def _translated(self, event: Any) -> Fact:
        about = event.data.object
        match event.type:
            case "checkout.session.completed" | "checkout.session.async_payment_succeeded":
                return self._of_session(about, name=event.id, at=event.created)
            case "checkout.session.expired" | "checkout.session.async_payment_failed":
                return Fact(
                    id=event.id, kind=EXPIRED, order_id=_order_of(about), checkout_ref=about.id, at=event.created
                )
            case "charge.refunded":
                return _of_charge(about, name=event.id, at=event.created)
            case "charge.dispute.created":
                return _of_dispute(about, DISPUTED, event)
            case "charge.dispute.closed":
                return _of_dispute(about, DISPUTE_WON if about.status == "won" else DISPUTE_LOST, event)
            case _:
                return Fact(id=event.id, kind="", at=event.created)

    def _of_session(self, session: Any, *, name: str, at: int = 0) -> Fact:
        paid = session.payment_status == "paid" or (
            session.payment_status == "no_payment_required" and session.status == "complete"
        )
        kind = PAID if paid else EXPIRED if session.status == "expired" else ""
        payment = session.payment_intent
        amount = session.amount_total or 0
        details = getattr(session, "total_details", None)
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
            currency=session.currency or "eur",
            at=at or session.created,
        )

    def portal(self, payer_ref: str, return_url: str) -> str:
        """Open Stripe's customer portal."""
        session = _asked(
            lambda: self._client.v1.billing_portal.sessions.create({"customer": payer_ref, "return_url": return_url})
        )
        return str(session.url)


def _reference(thing: Any) -> str:
    return thing if isinstance(thing, str) else getattr(thing, "id", "") or ""


def _order_of(about: Any) -> str:
    metadata = getattr(about, "metadata", None)
    noted = metadata["order_id"] if metadata and "order_id" in metadata else ""
    return getattr(about, "client_reference_id", None) or noted or ""


def _of_charge(charge: Any, *, name: str, at: int = 0, order_id: str = "") -> Fact:
    return Fact(
        id=name,
        kind=REFUNDED,
        order_id=order_id or _order_of(charge),
        payment_ref=_reference(charge.payment_intent),
        amount_minor=charge.amount_refunded,
        currency=charge.currency,
        at=at or charge.created,
    )


def _of_dispute(dispute: Any, kind: str, event: Any) -> Fact:
    return Fact(
        id=event.id,
        kind=kind,
        order_id=_order_of(dispute),
        payment_ref=_reference(dispute.payment_intent),
        amount_minor=dispute.amount,
        currency=dispute.currency,
        at=event.created,
    )


def _asked[Answer](ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except stripe.StripeError as error:
        # Its text may name a customer; its kind is enough.
        raise PaymentsUnavailable(_UNAVAILABLE) from error
