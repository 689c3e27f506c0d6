"""What we send to Stripe and read of it exists in the pinned version of its own library, and in the events it documents.

The files under ``events/`` hold the shape of real objects of this API version, written after Stripe's documentation and
its library's declarations; no account of anybody was used. What cannot be shown here is said in ``docs/payments.md``.
"""

import inspect
import json
import re
import time
from pathlib import Path

import pytest
import stripe as library
from stripe.params import RefundCreateParams
from stripe.params.billing_portal import SessionCreateParams as PortalParams
from stripe.params.checkout import SessionCreateParams

from headshotly.orders.payments import DISPUTE_LOST, DISPUTED, EXPIRED, PAID, REFUND_RETURNED, REFUNDED
from headshotly.orders.stripe_payments import _EVENTS, API_VERSION, StripePayments
from tests.orders.conftest import buy
from tests.orders.stripe_stand_in import signed

pytestmark = pytest.mark.clause("7.1.a")
EVENTS = Path(__file__).with_name("events")
READ = {
    library.checkout.Session: {
        "id", "status", "payment_status", "payment_intent", "client_reference_id", "metadata", "amount_total", "currency",
        "customer", "total_details", "created", "url", "customer_details",
    },
    library.checkout.Session.CustomerDetails: {"address"},
    library.checkout.Session.CustomerDetails.Address: {"country"},
    library.checkout.Session.TotalDetails: {"amount_tax", "amount_discount"},
    library.Dispute: {"id", "payment_intent", "amount", "currency", "status"},
    library.Refund: {"id", "payment_intent", "amount", "currency", "metadata", "status", "created"},
    library.Event: {"id", "type", "created", "data"},
}  # fmt: skip


def test_the_pinned_api_version_is_the_librarys_own():
    assert library.api_version == API_VERSION


@pytest.mark.parametrize("kind", READ, ids=lambda kind: kind.__name__)
def test_every_field_we_read_is_declared(kind):
    declared = set().union(*(vars(one).get("__annotations__", {}) for one in kind.__mro__))
    assert READ[kind] <= declared


def test_every_event_we_ask_for_is_one_stripe_sends():
    known = set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)+)"', inspect.getsource(library.Event)))
    assert len(known) > 100
    assert set(_EVENTS) <= known


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_everything_we_send_is_a_parameter_of_this_version(person, stripe):
    order = buy(person)
    sent = next(
        form for call, form in zip(stripe.calls, stripe.forms, strict=True) if call == "POST /v1/checkout/sessions"
    )
    assert set(sent) <= set(SessionCreateParams.__annotations__)
    assert sent["mode"] == "payment"
    assert sent["line_items"]["0"]["price_data"]["unit_amount"] == "2900"
    assert sent["line_items"]["0"]["price_data"]["tax_behavior"] == "inclusive"
    assert "card" not in json.dumps(sent), "no card is ever named"
    assert {"payment_intent", "amount", "metadata"} <= set(RefundCreateParams.__annotations__)
    assert {"customer", "return_url"} <= set(PortalParams.__annotations__)
    assert order.checkout_ref == "cs_test_1"


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_stripe_tax_is_a_setting(person, stripe, settings):
    from tests.orders.conftest import AtStripe, deliver, with_options

    with_options(settings, stripe__tax="on")
    order = buy(person)
    sent = stripe.forms[0]
    assert sent["automatic_tax"]["enabled"] == "true"
    assert sent["tax_id_collection"]["enabled"] == "true"
    stripe.sessions[order.checkout_ref]["total_details"]["amount_tax"] = 463  # such as 19 % in Germany
    stripe.pay(order.checkout_ref)
    deliver(AtStripe(stripe))
    order.refresh_from_db()
    assert order.tax_minor == 463


ADAPTER = StripePayments(secret_key="sk_test_x", webhook_secret="whsec_x", tax=False)
ORDER = "3f1c2f0e-8f0a-4b1e-9a55-6a4c1d7c1f10"
EXPECTED = {
    "checkout.session.completed": (PAID, {"order_id": ORDER, "amount_minor": 2610, "discount_minor": 290, "payment_ref": "pi_3QShape00000000000000001", "payer_ref": "cus_RShape0000001"}),
    "checkout.session.completed.unpaid": ("", {"order_id": ORDER, "payment_ref": "pi_3QShape00000000000000001"}),
    "checkout.session.completed.free": (PAID, {"order_id": ORDER, "amount_minor": 0, "payment_ref": ""}),
    "checkout.session.async_payment_succeeded": (PAID, {"order_id": ORDER, "amount_minor": 2900}),
    "checkout.session.async_payment_failed": (EXPIRED, {"order_id": ORDER}),
    "checkout.session.expired": (EXPIRED, {"order_id": ORDER, "payment_ref": ""}),
    "refund.created": (REFUNDED, {"order_id": ORDER, "refund_ref": "re_3QShape00000000000000001", "amount_minor": 900}),
    "charge.dispute.created": (DISPUTED, {"order_id": "", "payment_ref": "pi_3QShape00000000000000001", "dispute_ref": "du_1QShape000000000000001"}),
    "charge.dispute.closed": (DISPUTE_LOST, {"dispute_ref": "du_1QShape000000000000001", "amount_minor": 2900}),
    "refund.failed": (REFUND_RETURNED, {"order_id": ORDER, "refund_ref": "re_3QShape00000000000000001", "ours": "8a4d3c0e-6a51-4b8e-8d0f-0c1b2a3d4e5f", "amount_minor": 900}),
    "customer.created": ("", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_a_documented_event_is_understood(name):
    body = (EVENTS / f"{name}.json").read_bytes()
    fact = ADAPTER.read_event(body, signed(body, at=int(time.time()), secret="whsec_x"))
    kind, facts = EXPECTED[name]
    assert fact.kind == kind
    assert {field: getattr(fact, field) for field in facts} == facts
    assert fact.id == json.loads(body)["id"]
