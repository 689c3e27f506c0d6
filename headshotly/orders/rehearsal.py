"""The test checkout: stands in for the payment service where there is none. No money moves, and the page says so."""

import datetime as dt
import hmac
import json
from collections.abc import Iterator
from typing import Any

from django.db import transaction

from headshotly.orders.errors import OrderNotFound, PaymentsUnavailable, WebhookRefused
from headshotly.orders.models import Order, Refund, RehearsedPayment
from headshotly.orders.money import tax_within
from headshotly.orders.packages import VAT_PERCENT
from headshotly.orders.payments import EXPIRED, PAID, REFUNDED, Checkout, Fact
from headshotly.policy import clock, configuration
from headshotly.vault import services as vault

COUPON, COUPON_PERCENT = "REHEARSAL10", 10


class Rehearsal:
    """A payment service that only pretends; refuses in production."""

    name = "rehearsal"

    def __init__(self) -> None:
        """Refuse where real customers would be told that they paid.

        Raises:
            PaymentsUnavailable: this is production.
        """
        if configuration.current().environment == "production":
            raise PaymentsUnavailable("No payment service is configured, so nothing can be bought at the moment.")

    def begin(self, order: Order, *, title: str) -> Checkout:  # noqa: ARG002 - the interface's argument
        """Open the test page; the same order gets the same page."""
        ref = f"rehearsal_{order.id.hex}"
        RehearsedPayment.objects.get_or_create(
            ref=ref, defaults={"order_id": order.id, "price_minor": order.price_minor, "made_at": clock.now()}
        )
        return Checkout(ref, f"{configuration.current().public_url}/orders/rehearsal/{ref}/")

    def refund(self, order: Order, refund: Refund) -> str:
        """Note that money would have gone back, once for each refund."""
        with transaction.atomic():
            payment = RehearsedPayment.objects.select_for_update().get(ref=order.checkout_ref)
            if str(refund.id) not in payment.refund_keys:
                payment.refund_keys[str(refund.id)] = refund.minor
                payment.refunded_minor += refund.minor
                payment.save()
        return f"rehearsal_refund_{refund.id.hex}"

    def state_of(self, order: Order) -> list[Fact]:
        """Return what the test page knows of an order."""
        return [fact for one in RehearsedPayment.objects.filter(order_id=order.id) for fact in _facts(one)]

    def recent(self, since: dt.datetime) -> Iterator[Fact]:
        """Yield what the test page knows since a moment."""
        for one in RehearsedPayment.objects.filter(made_at__gte=since):
            yield from _facts(one)

    def read_event(self, body: bytes, signature: str) -> Fact:
        """Return what a message of the test page says; it is signed as Stripe's are."""
        if not hmac.compare_digest(signature, sign(body)):
            raise WebhookRefused("The message is not from the test checkout.")
        return Fact(**json.loads(body))

    def portal(self, payer_ref: str, return_url: str) -> str:  # noqa: ARG002 - the interface's argument
        """There is no portal to look at; lead back."""
        return return_url


def sign(body: bytes) -> str:
    """Return the signature the test checkout puts on a message."""
    return vault.blind_index(field="orders.rehearsal", value=body.decode()).hex()


def decide(ref: str, *, order: Order, pay: bool, coupon: str = "") -> tuple[bytes, str]:
    """Press a button of the test page; return the message it sends us and its signature.

    Raises:
        OrderNotFound: there is no such page, or it is used up.
    """
    with transaction.atomic():
        payment = RehearsedPayment.objects.select_for_update().filter(ref=ref, order_id=order.id).first()
        if payment is None or payment.state not in {"open", "paid" if pay else "expired"}:
            raise OrderNotFound("This test payment is over.")
        payment.state = "paid" if pay else "expired"
        payment.percent_off = COUPON_PERCENT if coupon.strip().upper() == COUPON else 0
        payment.save()
    body = json.dumps(next(_facts(payment)).as_json()).encode()
    return body, sign(body)


def _facts(payment: RehearsedPayment) -> Iterator[Fact]:
    amount = payment.price_minor * (100 - payment.percent_off) // 100
    known: Any = {
        "order_id": str(payment.order_id),
        "checkout_ref": payment.ref,
        "payment_ref": f"{payment.ref}_payment",
    }
    at = int(payment.made_at.timestamp())
    if payment.state == "paid":
        tax = tax_within(amount, VAT_PERCENT)
        yield Fact(id=f"{payment.ref}:paid", kind=PAID, amount_minor=amount, tax_minor=tax, at=at, **known)
    if payment.state == "expired":
        yield Fact(id=f"{payment.ref}:expired", kind=EXPIRED, at=at, **known)
    if payment.refunded_minor:
        name = f"{payment.ref}:refunded:{payment.refunded_minor}"
        yield Fact(id=name, kind=REFUNDED, amount_minor=payment.refunded_minor, at=at, **known)
