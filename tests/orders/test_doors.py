"""The pages and the door Stripe knocks at: from the price list to the receipt, and what finance sees."""

import json
import re
import time

import pytest

from headshotly.audit.acts import Act
from headshotly.audit.leaf import decode
from headshotly.audit.models import PendingEntry
from headshotly.orders.models import Order, Refund, Seat, StoredEvent
from tests.access.conftest import at_desk, make_member
from tests.accounts.conftest import browser, make_customer
from tests.orders.stripe_stand_in import SECRET, message, signed

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.clause("7.1.a")]


@pytest.fixture
def desk(customer):
    client = browser()
    client.force_login(customer)
    return client


def words(answer, status: int = 200) -> str:
    assert answer.status_code == status, answer.content.decode()[:600]
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def paid_order(desk, package: str = "personal", **fields: str) -> Order:
    answer = desk.post("/orders/buy/", {"package": package, **fields})
    assert answer.status_code == 302, answer.content.decode()[:600]
    page = answer["Location"].removeprefix("https://localhost:8443")
    assert "Test checkout" in words(desk.get(page))
    desk.post(page, {"decision": "pay", "coupon": ""})
    order = Order.objects.latest("created_at")
    assert order.state == "paid"
    return order


def acts() -> list[Act]:
    return [decode(bytes(one.leaf)).act for one in PendingEntry.objects.all()]


def test_a_visitor_sees_every_price_and_that_the_checkout_is_a_test():
    said = words(browser().get("/orders/prices/"))
    for expected in (
        "€0",
        "€29.00",
        "€24.00",
        "VAT included",
        "no money moves",
        "4 headshots for nothing",
        "40 headshots",
    ):
        assert expected.replace("€0", "€0.00") in said
    polish = words(browser().get("/orders/prices/", headers={"Accept-Language": "pl"}))
    for expected in ("29,00 €", "Ceny z VAT", "Dla zespołu", "Portretów: 40"):
        assert expected in polish


def test_buying_reading_the_receipt_and_taking_the_money_back(desk):
    order = paid_order(desk)
    page = words(desk.get(f"/orders/{order.id}/"))
    assert "Thank you" in page
    assert "Give my money back" in page
    history = words(desk.get("/orders/"))
    assert "You have 44 headshots left" in history
    receipt = desk.get(f"/orders/{order.id}/receipt.pdf")
    assert receipt["Content-Type"] == "application/pdf"
    assert receipt.content.startswith(b"%PDF-")
    assert desk.post(f"/orders/{order.id}/refund/").status_code == 302
    page = words(desk.get(f"/orders/{order.id}/"))
    assert "Refunded" in page
    assert "€29.00 went back" in page
    assert "Give my money back" not in page
    words(desk.post(f"/orders/{order.id}/refund/"), 409)
    assert {Act.ORDER_BEGUN, Act.ORDER_PAID, Act.REFUND_ASKED, Act.REFUND_SENT, Act.ORDER_REFUNDED} <= set(acts())


def test_the_coupon_of_the_test_checkout_takes_off_a_tenth(desk):
    page = desk.post("/orders/buy/", {"package": "personal"})["Location"].removeprefix("https://localhost:8443")
    desk.post(page, {"decision": "pay", "coupon": " rehearsal10 "})
    assert Order.objects.get().paid_minor == 2610
    assert "A coupon took off €2.90" in words(desk.get(f"/orders/{Order.objects.get().id}/"))


def test_giving_up_and_coming_back(desk):
    page = desk.post("/orders/buy/", {"package": "personal"})["Location"].removeprefix("https://localhost:8443")
    order = Order.objects.get()
    assert "Pay now" in words(desk.get(f"/orders/{order.id}/"))
    assert desk.post(f"/orders/{order.id}/pay/")["Location"].endswith(page)
    desk.post(page, {"decision": "cancel"})
    assert "Begin a new order" in words(desk.get(f"/orders/{order.id}/"))
    words(desk.post(page, {"decision": "pay"}), 404)


@pytest.mark.parametrize("fields", [
    {"package": "gold"}, {"package": "team", "count": "1"}, {"package": "team", "count": "-3"}, {"package": "team", "count": "x"},
    {"package": "team", "count": "٣"}, {"package": "team", "count": "9" * 400}, {"package": "personal", "count": "2"}, {},
])  # fmt: skip
def test_nonsense_is_refused_in_plain_words(desk, fields):
    words(desk.post("/orders/buy/", fields), 422)
    assert not Order.objects.exists()


def test_nobody_sees_somebody_elses_order(desk):
    order = paid_order(desk, "team", count="3")
    eve = browser()
    eve.force_login(make_customer("eve@example.org"))
    seat = Seat.objects.first()
    for path in ("", "receipt.pdf"):
        words(eve.get(f"/orders/{order.id}/{path}"), 404)
    for path in ("refund/", "pay/", "portal/", f"seats/{seat.id}/"):
        words(eve.post(f"/orders/{order.id}/{path}"), 404)
    words(eve.get(f"/orders/rehearsal/{order.checkout_ref}/"), 404)
    assert not Refund.objects.exists()


def test_a_colleague_takes_the_seat_of_a_link(desk):
    order = paid_order(desk, "team", count="2")
    seat = Seat.objects.first()
    page = desk.post(f"/orders/{order.id}/seats/{seat.id}/").content.decode()
    link = re.search(r"https://localhost:8443(/orders/seat/[\w-]+/)", page)[1]
    bob = browser()
    assert bob.get(link).status_code == 302, "who is not signed in signs in first"
    bob.force_login(make_customer("bob@example.org"))
    assert "Take the seat" in words(bob.get(link))
    assert bob.post(link).status_code == 302
    assert "You have 44 headshots left" in words(bob.get("/orders/"))
    assert "1 of 2 taken" in words(desk.get(f"/orders/{order.id}/"))
    words(bob.post(link), 409)
    words(bob.post(f"/orders/{order.id}/seats/{seat.id}/withdraw/"), 404)
    page = words(desk.get(f"/orders/{order.id}/"))
    assert "Take back" in page
    assert desk.post(f"/orders/{order.id}/seats/{seat.id}/withdraw/").status_code == 302
    assert "The seat is free again" in words(desk.get(f"/orders/{order.id}/"))
    assert "You have 4 headshots left" in words(bob.get("/orders/"))
    words(bob.get("/orders/seat/nonsense/"))
    words(bob.post("/orders/seat/nonsense/"), 404)


def test_with_stripe_the_way_leads_by_a_page_of_ours_to_stripes_own(desk, stripe):
    page = desk.post("/orders/buy/", {"package": "personal"})
    said = page.content.decode()
    assert page.status_code == 200
    assert 'content="1; url=https://checkout.stripe.test/c/1"' in said
    assert 'href="https://checkout.stripe.test/c/1"' in said
    assert "form-action 'self'" in page["Content-Security-Policy"], "a form may not lead to Stripe, a link may"
    order = Order.objects.get()
    stripe.pay(order.checkout_ref)
    knock(stripe.events[0])
    assert "My payments and invoices at Stripe" in words(desk.get(f"/orders/{order.id}/"))
    portal = desk.post(f"/orders/{order.id}/portal/")
    assert "https://billing.stripe.test/p" in portal.content.decode()
    words(desk.get(f"/orders/rehearsal/{order.checkout_ref}/"), 404)
    assert "no money moves" not in words(desk.get("/orders/prices/"))


def knock(event, *, at: int | None = None, secret: str = SECRET, status: int = 200):
    body = message(event)
    answer = browser(strict=True).post(
        "/orders/stripe/webhook/", body, content_type="application/json",
        headers={"Stripe-Signature": signed(body, at=at or int(time.time()), secret=secret)},
    )  # fmt: skip
    assert answer.status_code == status, answer.content
    return answer


def test_stripes_door_takes_signed_recent_messages_once_and_journals_the_others(desk, stripe):
    desk.post("/orders/buy/", {"package": "personal"})
    order = Order.objects.get()
    stripe.pay(order.checkout_ref)
    knock(stripe.events[0], secret="whsec_forged", status=400)
    knock(stripe.events[0], at=int(time.time()) - 400, status=400)
    assert acts().count(Act.WEBHOOK_REFUSED) == 2
    for _ in range(3):
        knock(stripe.events[0])
    kept = StoredEvent.objects.get()
    assert kept.result == "paid"
    assert kept.facts["payer_ref"] == "", "the payer's id is on the order only, and goes with it"
    assert "4242" not in json.dumps(kept.facts)
    assert acts().count(Act.ORDER_PAID) == 1


def test_stripes_door_takes_nothing_too_long(desk, stripe):
    for body in (b"{" + b" " * (600 * 1024), b"\xff", b""):
        answer = browser(strict=True).post(
            "/orders/stripe/webhook/", body, content_type="application/json", headers={"Stripe-Signature": "t=1,v1=0"}
        )
        assert answer.status_code == 400
    assert not StoredEvent.objects.exists()


def test_finance_sees_money_and_never_a_face_or_a_name(desk, customer):
    order = paid_order(desk)
    finance = at_desk(make_member("finance"))
    page = finance.get("/staff/orders/")
    said = words(page)
    assert "€29.00" in said
    assert str(order.id)[:8] in said
    assert str(customer.id) not in page.content.decode()
    assert "zofia" not in page.content.decode().lower()
    once = re.search(r'name="once" value="([\w-]+)"', page.content.decode())[1]
    form = {"euros": "10,50", "reason": "goodwill", "once": once}
    for _ in range(2):
        assert finance.post(f"/staff/orders/{order.id}/refund/", form).status_code == 302
    assert Refund.objects.get().minor == 1050
    for bad in ({"euros": "x"}, {"reason": "because"}, {"reason": "buyer"}, {"once": "x"}, {"euros": "0"}):
        words(finance.post(f"/staff/orders/{order.id}/refund/", {**form, "once": str(order.id), **bad}), 409)
    for path in ("/staff/studio/work/", "/staff/customers/", f"/staff/customers/{customer.id}/"):
        assert finance.get(path).status_code in {403, 404}
    auditor = at_desk(make_member("auditor"))
    assert "Refund order" not in words(auditor.get("/staff/orders/"))
    words(auditor.post(f"/staff/orders/{order.id}/refund/", form), 403)
    words(at_desk(make_member("support")).get("/staff/orders/"), 403)


def test_a_refund_the_bank_returned_waits_for_finance(desk, stripe):
    desk.post("/orders/buy/", {"package": "personal"})
    order = Order.objects.get()
    stripe.pay(order.checkout_ref)
    knock(stripe.events[0])
    desk.post(f"/orders/{order.id}/refund/")
    stripe.return_refund("re_1")
    for event in stripe.events[1:]:
        knock(event)
    finance = at_desk(make_member("finance"))
    assert "The bank returned it" in words(finance.get("/staff/orders/"))
    refund = Refund.objects.get()
    assert finance.post(f"/staff/orders/refunds/{refund.id}/again/").status_code == 302
    assert "The bank returned it" not in words(finance.get("/staff/orders/"))
    words(finance.post(f"/staff/orders/refunds/{refund.id}/again/"), 404)


def test_too_few_headshots_are_said_in_the_studio_with_the_way_to_more(desk, customer):
    from headshotly.orders import spending
    from headshotly.orders.errors import PaymentNeeded

    with pytest.raises(PaymentNeeded, match="choose fewer, or a package"):
        spending.claim(customer.id, Order().id, [f"p{number}:s" for number in range(5)])
