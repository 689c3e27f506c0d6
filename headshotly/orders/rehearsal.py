"""The test checkout: stands in for the payment service where there is none. No money moves, and the page says so."""

import datetime as dt
import hmac
import json
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from headshotly.orders.errors import NothingLeft, OrderNotFound, PaymentsUnavailable, WebhookRefused
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
        return Checkout(ref, _address(ref))

    def refund(self, order: Order, refund: Refund) -> str:
        """Note that money would have gone back, once for each refund."""
        with transaction.atomic():
            payment = RehearsedPayment.objects.select_for_update().get(ref=order.checkout_ref)
            name = f"rehearsal_refund_{refund.id.hex}_{refund.attempt}"
            if name not in payment.refund_keys:
                if payment.refunded_minor + refund.minor > _amount(payment):
                    raise NothingLeft("The test checkout has nothing left of this.")
                payment.refund_keys[name] = refund.minor
                payment.refunded_minor += refund.minor
                payment.save()
        return name

    def page_of(self, order: Order) -> Checkout | None:
        """Return the test page while nobody has decided on it."""
        there = RehearsedPayment.objects.filter(ref=order.checkout_ref, state="open").first()
        return Checkout(there.ref, _address(there.ref)) if there else None

    def events(self, since: dt.datetime) -> Iterator[Fact]:
        """Yield what was decided on the test pages since a moment."""
        for one in RehearsedPayment.objects.filter(made_at__gte=since):
            yield from _facts(one)

    def recent(self, since: dt.datetime) -> Iterator[Fact]:
        """Yield how every test payment stands."""
        yield from self.events(since)

    def read_event(self, body: bytes, signature: str) -> Fact:
        """Return what a message of the test page says; it is signed as Stripe's are."""
        if not hmac.compare_digest(signature.encode(), sign(body).encode()):
            raise WebhookRefused("The message is not from the test checkout.")
        return Fact(**json.loads(body))

    def portal(self, payer_ref: str, return_url: str) -> str:  # noqa: ARG002 - the interface's argument
        """There is no portal to look at; lead back."""
        return return_url

    def forget(self, payer_ref: str) -> None:
        """There is nobody to forget."""


def _address(ref: str) -> str:
    return f"{configuration.current().public_url}/orders/rehearsal/{ref}/"


def sign(body: bytes) -> str:
    """Return the signature the test checkout puts on a message."""
    return vault.blind_index(field="orders.rehearsal", value=body.hex()).hex()


def decide(ref: str, *, order: Order, pay: bool, coupon: str = "") -> tuple[bytes, str]:
    """Press a button of the test page; return the message it sends us and its signature.

    Raises:
        OrderNotFound: there is no such page, or it is used up.
    """
    with transaction.atomic():
        payment = RehearsedPayment.objects.select_for_update().filter(ref=ref, order_id=order.id).first()
        if payment is None or payment.state not in {"open", "paid" if pay else "expired"}:
            raise OrderNotFound(_("This test payment is over."))
        payment.state = "paid" if pay else "expired"
        payment.percent_off = COUPON_PERCENT if coupon.strip().upper() == COUPON else 0
        payment.save()
    body = json.dumps(next(_facts(payment)).as_json()).encode()
    return body, sign(body)


def _amount(payment: RehearsedPayment) -> int:
    return payment.price_minor * (100 - payment.percent_off) // 100


def _facts(payment: RehearsedPayment) -> Iterator[Fact]:
    amount = _amount(payment)
    known: Any = {
        "order_id": str(payment.order_id),
        "checkout_ref": payment.ref,
        "payment_ref": f"{payment.ref}_payment",
    }
    at = int(payment.made_at.timestamp())
    if payment.state == "paid":
        tax = tax_within(amount, VAT_PERCENT)
        known["discount_minor"] = payment.price_minor - amount
        yield Fact(id=f"{payment.ref}:paid", kind=PAID, amount_minor=amount, tax_minor=tax, at=at, **known)
    if payment.state == "expired":
        yield Fact(id=f"{payment.ref}:expired", kind=EXPIRED, at=at, **known)
    for name, minor in payment.refund_keys.items():
        gone = {**known, "discount_minor": 0}
        yield Fact(id=f"{name}:refunded", kind=REFUNDED, refund_ref=name, amount_minor=minor, at=at, **gone)
