"""Money, broken: section 7."""

from uuid import uuid4

import pytest
from django.db import connection

from headshotly.frontdoor import card_guard
from headshotly.orders import events, payments, reconciliation, rehearsal, services
from headshotly.orders.models import Order, Posting
from headshotly.policy import clock, configuration

ALL = pytest.mark.django_db(databases="__all__")
COMMITTED = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture
def paid(db, person) -> Order:
    order, _ = services.begin(actor=person.actor, subject=person.id, package_id="personal")
    order.refresh_from_db()
    body, signature = rehearsal.decide(order.checkout_ref, order=order, pay=True)
    events.receive(body, signature)
    order.refresh_from_db()
    assert order.state == "paid"
    return order


@COMMITTED
@pytest.mark.sabotage("payments_through_stripe", "a forged payment message is believed")
def test_a_believed_forgery(watch, paid, monkeypatch) -> None:
    watch.is_content()
    monkeypatch.setattr(
        rehearsal.Rehearsal, "read_event", lambda _self, _body, _signature: payments.Fact(id="forged", kind="")
    )
    watch.is_broken("forged message")


@COMMITTED
@pytest.mark.sabotage("payments_through_stripe", "a booking was changed by hand")
def test_books_that_do_not_balance(watch, paid) -> None:
    watch.is_content()
    Posting.objects.filter(order=paid, account="vat").update(minor=-1)
    watch.is_broken(f"payment:{paid.id}")


@COMMITTED
@pytest.mark.sabotage("payments_through_stripe", "an order is called paid without a payment")
def test_an_order_nobody_paid(watch, paid) -> None:
    watch.is_content()
    free = Order.objects.create(
        subject=uuid4(), package_id="personal", seats=1, currency="eur", price_minor=2900, paid_minor=2900,
        provider="rehearsal", state="paid", created_at=clock.now(), paid_at=clock.now(),
    )  # fmt: skip
    watch.is_broken(free.id)


@COMMITTED
@pytest.mark.sabotage("payments_through_stripe", "money came another way")
def test_another_way_to_pay(watch, paid) -> None:
    watch.is_content()
    Order.objects.filter(id=paid.id).update(provider="cash")
    watch.is_broken(paid.id)


@COMMITTED
@pytest.mark.sabotage("payments_through_stripe", "a refund is not sent")
def test_a_refund_that_waits(watch, paid, person, monkeypatch, later) -> None:
    watch.is_content()
    monkeypatch.setattr(services, "send_refunds", lambda: 0)
    services.take_back(actor=person.actor, subject=person.id, order_id=paid.id)
    later(days=3)
    reconciliation.reconcile()
    watch.is_broken("refund")


@COMMITTED
@pytest.mark.sabotage("payments_through_stripe", "the daily comparison stands still")
def test_no_comparison(watch, paid, later) -> None:
    reconciliation.reconcile()
    later(days=1)
    watch.is_content()
    later(days=2)
    watch.is_broken("comparison")


@COMMITTED
@pytest.mark.sabotage("no_card_numbers_kept", "a row holds a card number")
def test_a_card_number_in_a_row(watch, person) -> None:
    watch.is_content()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE left_behind (note text)")
        cursor.execute("INSERT INTO left_behind VALUES ('paid by 4242-4242-4242-4242')")
    try:
        watch.is_broken("left_behind.note")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE left_behind")


@COMMITTED
@pytest.mark.sabotage("no_card_numbers_kept", "a log holds a card number")
def test_a_card_number_in_a_log(watch, person) -> None:
    watch.is_content()
    (configuration.current().data_folder / "service.log").write_text("card 5555 5555 5555 4444 declined\n")
    watch.is_broken("service.log")


@COMMITTED
@pytest.mark.sabotage("no_card_numbers_kept", "nobody stands at the door")
def test_nobody_at_the_door(watch, person, monkeypatch) -> None:
    watch.is_content()
    monkeypatch.setattr(card_guard.CardNumberGuard, "process_view", lambda *_arguments: None)
    watch.is_broken("took a card number")
