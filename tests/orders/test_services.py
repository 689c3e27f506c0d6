"""Buying, using and getting back, at both payment services: paid once, used once, given back once."""

import datetime as dt
import random
from uuid import uuid4

import pytest

from headshotly.orders import events, invoices, ledger, reconciliation, seats, selectors, services, spending
from headshotly.orders.errors import (
    OrderNotFound,
    PackageUnknown,
    PaymentNeeded,
    PaymentsUnavailable,
    RefundRefused,
    SeatTaken,
    WebhookRefused,
)
from headshotly.orders.models import (
    Credit,
    Farewell,
    Invoice,
    Order,
    Posting,
    Reason,
    Refund,
    Seat,
    Spend,
    StoredEvent,
)
from headshotly.policy import clock
from tests.orders.conftest import bought, buy, deliver, left
from tests.orders.stripe_stand_in import message, signed

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.clause("7.1.a")]


def pieces(count: int) -> list[str]:
    return [f"photo-{number}:studio-grey" for number in range(count)]


def shot(person, count: int, *, made: int | None = None, failed: bool = False):
    """A shoot from start to end, as the studio tells of it."""
    shoot_id = uuid4()
    spending.claim(person.id, shoot_id, pieces(count))
    services.shoot_ended(shoot_id=shoot_id, failed=failed, made=pieces(count if made is None else made))
    return shoot_id


def refreshed(order: Order) -> Order:
    order.refresh_from_db()
    return order


def test_everybody_may_try_and_then_pays(person):
    assert left(person) == 4
    shot(person, 3)
    assert left(person) == 1
    with pytest.raises(PaymentNeeded, match=r"That is 2 headshots, and you have 1 left\."):
        shot(person, 2)
    assert left(person) == 1, "what was refused took nothing"


def test_a_payment_pays_for_headshots_once_however_often_it_is_told(person, till):
    order = buy(person)
    assert order.state == "pending"
    till.pay(order)
    deliver(till, times=3)
    assert refreshed(order).state == "paid"
    assert order.paid_minor == 2900
    assert order.tax_minor == 542
    assert left(person) == 4 + 40
    assert Credit.objects.filter(order=order).count() == 1
    assert Invoice.objects.get(order=order).gross_minor == 2900
    assert {row.account: row.minor for row in Posting.objects.filter(order=order)} == {
        "stripe": 2900, "revenue": -2358, "vat": -542,
    }  # fmt: skip


def test_who_gives_up_owes_nothing_and_a_late_payment_still_counts(person, till):
    order = buy(person)
    till.give_up(order)
    deliver(till)
    assert refreshed(order).state == "expired"
    assert left(person) == 4
    with pytest.raises(OrderNotFound, match="over"):
        services.resume(subject=person.id, order_id=order.id)


def test_asking_again_leads_to_the_same_page_until_it_is_over(person, till, later):
    order = buy(person)
    first = services.resume(subject=person.id, order_id=order.id)
    assert services.resume(subject=person.id, order_id=order.id) == first
    later(hours=24)
    with pytest.raises(OrderNotFound, match="over"):
        services.resume(subject=person.id, order_id=order.id)


@pytest.mark.parametrize(("package", "count"), [("gold", 1), ("personal", 2), ("team", 1), ("team", 101), ("team", 0)])
def test_only_what_is_on_the_list_is_sold(person, package, count):
    with pytest.raises(PackageUnknown):
        buy(person, package, count)
    assert not Order.objects.exists()


def test_the_buyer_takes_everything_back_while_nothing_was_downloaded(person, till):
    order = bought(person, till)
    shoot_id = shot(person, 10)
    services.take_back(actor=person.actor, subject=person.id, order_id=order.id)
    deliver(till, times=2)
    assert refreshed(order).state == "refunded"
    assert ledger.balance(order) == 0
    assert left(person) == 0, "the trial is used, the rest is void"
    with pytest.raises(PaymentNeeded, match="went back"):
        spending.deliver(shoot_id, pieces(10)[:1])
    with pytest.raises(RefundRefused):
        services.take_back(actor=person.actor, subject=person.id, order_id=order.id)
    assert Refund.objects.count() == 1


def test_downloads_of_the_trial_do_not_stand_in_the_way_and_downloads_of_the_order_do(person, till):
    tried = shot(person, 4)
    spending.deliver(tried, pieces(4))
    order = bought(person, till)
    assert services.refundable(order) == ""
    shoot_id = shot(person, 1)
    spending.deliver(shoot_id, pieces(1))
    with pytest.raises(RefundRefused, match="downloaded"):
        services.take_back(actor=person.actor, subject=person.id, order_id=order.id)
    assert refreshed(order).state == "paid"
    assert not Refund.objects.exists()


def test_what_left_before_is_looked_at_and_written_down_no_second_time(person, django_assert_num_queries):
    shoot_id = shot(person, 2)
    spending.deliver(shoot_id, pieces(2)[:1])
    before = list(Spend.objects.order_by("id").values())
    with django_assert_num_queries(2):  # what was spent, and the orders that paid for it
        spending.deliver(shoot_id, pieces(2)[:1])
    assert list(Spend.objects.order_by("id").values()) == before
    spending.deliver(shoot_id, pieces(2))
    assert not Spend.objects.filter(downloaded_at__isnull=True).exists()


def test_the_promised_days_end(person, till, later):
    order = bought(person, till)
    later(days=14, minutes=1)
    with pytest.raises(RefundRefused, match="14 days"):
        services.take_back(actor=person.actor, subject=person.id, order_id=order.id)


def test_a_failed_shoot_is_paid_back_and_a_trial_one_given_back(person, till):
    shot(person, 4, made=1, failed=True)
    assert left(person) == 3
    order = bought(person, till)
    shot(person, 3 + 8, made=3 + 5, failed=True)  # three of the trial, eight of the order; three were not made
    deliver(till)
    refund = Refund.objects.get()
    assert refund.minor == 218, "3 of 40 for 29.00, rounded up"
    assert refund.sent_at is not None
    assert ledger.balance(refreshed(order)) == 2900 - 218
    assert left(person) == 40 - 8, "what was paid back cannot be made as well"


def test_forty_failures_of_one_give_back_every_cent_and_not_one_more(person, till):
    shot(person, 4)
    order = bought(person, till)
    for _ in range(40):
        shot(person, 1, made=0, failed=True)
    deliver(till)
    assert ledger.balance(refreshed(order)) == 0
    assert order.state == "refunded"
    assert left(person) == 0


def test_what_its_owner_stopped_comes_back_as_headshots(person, till):
    order = bought(person, till)
    shot(person, 10, made=2)
    assert left(person) == 44 - 2
    assert not Refund.objects.exists()
    assert refreshed(order).state == "paid"


def test_a_shoot_that_overran_the_promise_is_ended_and_paid_back(person, till, later):
    shot(person, 4)
    order = bought(person, till)
    shoot_id = uuid4()
    spending.claim(person.id, shoot_id, pieces(2))
    later(hours=25)
    assert reconciliation.end_overdue() == 1
    assert reconciliation.end_overdue() == 0
    # the studio knows nothing of this shoot, as when its owner removed it: what was reserved is free again
    assert left(person) == 40
    assert refreshed(order).state == "paid"


def test_a_style_made_again_is_not_paid_for_twice(person):
    shoot_id = shot(person, 2)
    spending.claim(person.id, shoot_id, pieces(2))
    assert left(person) == 2
    services.shoot_ended(shoot_id=shoot_id, failed=True, made=pieces(1))
    assert left(person) == 3, "what was lost while it was made again comes back"
    assert sorted(len(one.pieces) for one in Spend.objects.filter(state="settled")) == [1]


def test_downloading_deleting_and_stopping_gains_nothing(person):
    shoot_id = shot(person, 4)
    spending.deliver(shoot_id, pieces(4))
    spending.claim(person.id, shoot_id, pieces(4))
    services.shoot_ended(shoot_id=shoot_id, failed=False, made=[])
    assert left(person) == 0


def test_downloading_while_the_rest_is_being_made_settles_only_what_left(person):
    shoot_id = uuid4()
    spending.claim(person.id, shoot_id, pieces(4))
    spending.deliver(shoot_id, pieces(1))
    services.shoot_ended(shoot_id=shoot_id, failed=False, made=[])
    assert left(person) == 3


def test_a_team_gets_one_link_a_seat_and_each_is_taken_once(person, make_person, till):
    order = bought(person, till, "team", 3)
    assert order.paid_minor == 3 * 2400
    assert left(person) == 4, "who buys for a team buys seats"
    first = Seat.objects.filter(order=order).first()
    old = seats.new_link(subject=person.id, order_id=order.id, seat_id=first.id)
    token = seats.new_link(subject=person.id, order_id=order.id, seat_id=first.id)
    bob, eve = make_person("bob@example.org"), make_person("eve@example.org")
    with pytest.raises(OrderNotFound):
        seats.new_link(subject=eve.id, order_id=order.id, seat_id=first.id)
    with pytest.raises(OrderNotFound, match="newer"):
        seats.take(actor=eve.actor, subject=eve.id, token=old)
    seats.take(actor=bob.actor, subject=bob.id, token=token)
    assert left(bob) == 44
    with pytest.raises(SeatTaken):
        seats.take(actor=eve.actor, subject=eve.id, token=token)
    with pytest.raises(SeatTaken):
        seats.new_link(subject=person.id, order_id=order.id, seat_id=first.id)
    services.take_back(actor=person.actor, subject=person.id, order_id=order.id)
    assert left(bob) == 4
    assert ledger.balance(order) == 0


def took_a_seat(buyer, taker, order):
    seat = Seat.objects.filter(order=order, taken_at__isnull=True).first()
    token = seats.new_link(subject=buyer.id, order_id=order.id, seat_id=seat.id)
    seats.take(actor=taker.actor, subject=taker.id, token=token)
    return seat, token


def states(buyer):
    return sorted(one.state for one in seats.of_buyer(buyer.id))


@pytest.mark.clause("5.1.a")
def test_a_seat_is_taken_back_as_long_as_nothing_was_begun_with_it(person, make_person, till):
    order = bought(person, till, "team", 2)
    bob, eve = make_person("bob@example.org"), make_person("eve@example.org")
    assert states(person) == ["free", "free"]
    seat, old = took_a_seat(person, bob, order)
    assert states(person) == ["free", "taken"]
    with pytest.raises(OrderNotFound):
        seats.withdraw(actor=eve.actor, subject=eve.id, seat_id=seat.id)
    with pytest.raises(OrderNotFound):
        seats.withdraw(actor=bob.actor, subject=bob.id, seat_id=seat.id)
    shoot_id = uuid4()
    spending.claim(bob.id, shoot_id, pieces(5))  # four of the trial, one of the seat
    assert states(person) == ["begun", "free"]
    with pytest.raises(SeatTaken, match="begun"):
        seats.withdraw(actor=person.actor, subject=person.id, seat_id=seat.id)
    services.shoot_ended(shoot_id=shoot_id, failed=False, made=[])  # nothing came of it
    seats.withdraw(actor=person.actor, subject=person.id, seat_id=seat.id)
    assert (left(bob), states(person)) == (4, ["free", "free"])
    with pytest.raises(OrderNotFound):
        seats.take(actor=eve.actor, subject=eve.id, token=old)
    took_a_seat(person, eve, order)
    took_a_seat(person, bob, order)
    assert (left(eve), left(bob)) == (44, 44)
    assert sum(Credit.objects.filter(order=order).values_list("granted", flat=True)) == 80


def test_a_link_that_was_sent_is_withdrawn_and_a_free_seat_stays_free(person, make_person, till):
    order = bought(person, till, "team", 2)
    seat, bob = Seat.objects.filter(order=order).first(), make_person("bob@example.org")
    token = seats.new_link_for(subject=person.id, seat_id=seat.id)
    assert states(person) == ["free", "invited"]
    for _ in range(2):
        seats.withdraw(actor=person.actor, subject=person.id, seat_id=seat.id)
    assert states(person) == ["free", "free"]
    with pytest.raises(OrderNotFound):
        seats.take(actor=bob.actor, subject=bob.id, token=token)


def test_the_seat_of_who_left_is_not_given_to_somebody_else(person, make_person, till):
    order = bought(person, till, "team", 2)
    bob = make_person("bob@example.org")
    seat, _ = took_a_seat(person, bob, order)
    services.erase(bob.id)
    with pytest.raises(SeatTaken):
        seats.withdraw(actor=person.actor, subject=person.id, seat_id=seat.id)
    services.take_back(actor=person.actor, subject=person.id, order_id=order.id)
    with pytest.raises(OrderNotFound):
        seats.withdraw(actor=person.actor, subject=person.id, seat_id=seat.id)


def test_finance_refunds_once_a_form_and_never_more_than_was_paid(person, till):
    order, once = bought(person, till), uuid4()
    give = {"actor": person.actor, "order_id": order.id, "reason": Reason.GOODWILL}
    first = services.refund_by_staff(**give, minor=1000, once=once)
    assert services.refund_by_staff(**give, minor=1000, once=once).id == first.id
    assert services.refund_by_staff(**give, minor=9900, once=uuid4()).minor == 1900
    with pytest.raises(RefundRefused):
        services.refund_by_staff(**give, minor=1, once=uuid4())
    deliver(till)
    assert refreshed(order).state == "refunded"
    assert sum(Refund.objects.values_list("minor", flat=True)) == 2900


def test_a_lost_message_is_found_and_healed(person, till):
    order = buy(person)
    till.pay(order)
    till.messages()  # which never arrive
    found = reconciliation.reconcile()
    assert found.lost == 1
    assert found.differences == [f"a message that never came: paid: order {order.id}"]
    assert refreshed(order).state == "paid"
    assert left(person) == 44
    again = reconciliation.reconcile()
    assert (again.lost, again.healed, again.differences) == (0, 0, [])
    assert again.compared >= 1


def test_a_refund_whose_message_is_lost_stands_in_the_books(person, till):
    order = bought(person, till)
    services.take_back(actor=person.actor, subject=person.id, order_id=order.id)
    till.messages()
    assert ledger.balance(refreshed(order)) == 0
    reconciliation.reconcile()
    assert ledger.balance(refreshed(order)) == 0
    assert not ledger.unbalanced()


def test_an_order_nobody_heard_of_again_ends(person, till, later):
    order = buy(person)
    later(days=4)
    reconciliation.reconcile()
    assert refreshed(order).state == "expired"
    later(days=31)
    assert services.drop_old() >= 1
    assert not Order.objects.filter(id=order.id).exists()


@pytest.mark.clause("1.2.c")
def test_who_leaves_gets_back_what_was_not_used_and_only_amounts_stay(person, till):
    order = bought(person, till)
    kept = selectors.kept_after_erasure(person.id)
    assert len(kept) == 1
    assert Invoice.objects.get().number in kept[0]
    assert str(clock.now().year + 5) in kept[0]
    services.erase(person.id)
    services.send_refunds()
    assert refreshed(order).subject is None
    assert order.payer_ref == ""
    assert ledger.balance(order) == 0
    assert not Credit.objects.exists()
    assert Invoice.objects.get().gross_minor == 2900
    assert str(person.id) not in repr(list(StoredEvent.objects.values())) + repr(list(Order.objects.values()))


def test_a_payment_for_somebody_who_left_goes_back(person, till):
    order = buy(person)
    till.pay(order)
    services.erase(person.id)
    deliver(till)
    assert refreshed(order).state == "refunded"
    assert ledger.balance(order) == 0
    assert not Credit.objects.exists()


def test_the_buyers_leaving_does_not_take_the_colleagues_seats(person, make_person, till):
    order = bought(person, till, "team", 2)
    token = seats.new_link(subject=person.id, order_id=order.id, seat_id=Seat.objects.first().id)
    bob = make_person("bob@example.org")
    seats.take(actor=bob.actor, subject=bob.id, token=token)
    services.erase(person.id)
    assert left(bob) == 44
    assert refreshed(order).state == "paid"


def test_invoices_are_numbered_without_gaps_and_kept_as_long_as_the_law_says(person, till, later):
    numbers = [Invoice.objects.get(order=bought(person, till)).number for _ in range(3)]
    assert [number[-6:] for number in numbers] == ["000001", "000002", "000003"]
    issued = dt.datetime(2026, 11, 27, tzinfo=dt.UTC)
    assert issued >= invoices.law_until(dt.datetime(2031, 12, 31, tzinfo=dt.UTC)), "kept through 2031"
    assert issued < invoices.law_until(dt.datetime(2032, 1, 1, tzinfo=dt.UTC))
    later(days=6 * 366)
    assert services.drop_old() == 3
    assert not Posting.objects.exists()


def test_the_receipt_names_the_operator_and_the_amounts(person, till, monkeypatch):
    from django.utils.translation import override

    drawn, real = [], invoices.render_pdf
    monkeypatch.setattr(
        invoices, "render_pdf", lambda document, **named: drawn.append(document) or real(document, **named)
    )
    order = bought(person, till)
    assert invoices.as_pdf(selectors.invoice_of(person.id, order.id)).startswith(b"%PDF-")
    english = repr(drawn[-1])
    for words in ("HeadShotlyAI", "Wileńska 14", "€29.00", "€5.42", "€23.58", "HS-20", "Personal, 40 headshots"):
        assert words in english
    assert "went back" not in english
    services.take_back(actor=person.actor, subject=person.id, order_id=order.id)
    with override("pl"):
        assert invoices.as_pdf(selectors.invoice_of(person.id, order.id)).startswith(b"%PDF-")
    assert "29,00 €" in repr(drawn[-1])
    assert drawn[-1].language == "pl"
    assert len(drawn[-1].parts) == 3, "what went back is on it"
    assert selectors.invoice_of(uuid4(), order.id) is None


def test_any_order_of_messages_ends_the_same(person, stripe):
    from tests.orders.conftest import AtStripe

    for seed in range(6):
        till, order = AtStripe(stripe), buy(person)
        till.told = len(stripe.events)
        till.pay(order)
        ref = stripe.sessions[order.checkout_ref]["payment_intent"]
        stripe.refund_by_hand(ref, 900)
        stripe.dispute(ref, name=f"du_{seed}")
        stripe.close_dispute(ref, won=True, name=f"du_{seed}")
        deliver(till, shuffle=random.Random(seed), times=2)
        assert refreshed(order).state == "paid", seed
        assert ledger.balance(order) == 2000
        assert not selectors.stuck_messages().exists()


def test_a_lost_dispute_takes_the_money_and_an_open_one_holds_the_headshots(person, stripe):
    from tests.orders.conftest import AtStripe

    till = AtStripe(stripe)
    order = bought(person, till)
    shot(person, 4)
    shoot_id = shot(person, 1)
    stripe.dispute(order.payment_ref)
    deliver(till)
    assert refreshed(order).state == "disputed"
    assert left(person) == 0
    with pytest.raises(PaymentNeeded, match="disputed"):
        spending.deliver(shoot_id, pieces(1))
    stripe.close_dispute(order.payment_ref, won=False)
    deliver(till, times=2)
    assert refreshed(order).state == "refunded"
    assert ledger.balance(order) == 0
    assert left(person) == 0


def test_what_was_taken_back_while_the_bank_looks_into_it_goes_once_the_bank_has_decided(person, stripe):
    from tests.orders.conftest import AtStripe

    till = AtStripe(stripe)
    order = bought(person, till)
    stripe.dispute(order.payment_ref)  # nobody has told us yet
    services.take_back(actor=person.actor, subject=person.id, order_id=order.id)
    refund = Refund.objects.get(order=order)
    assert (refund.sent_at, refund.trouble) == (None, "The customer's bank looks into this payment.")
    assert services.send_refunds() == 0
    assert stripe.charges[order.payment_ref]["amount_refunded"] == 0
    stripe.close_dispute(order.payment_ref, won=True)
    deliver(till)
    services.send_refunds()
    assert refreshed(order).state == "refunded"
    assert stripe.charges[order.payment_ref]["amount_refunded"] == order.paid_minor
    assert services.send_refunds() == 0


def test_a_second_payment_for_one_order_goes_back(person, stripe):
    from tests.orders.conftest import AtStripe

    till = AtStripe(stripe)
    order = bought(person, till)
    twin = {**stripe.sessions[order.checkout_ref], "id": "cs_test_9", "payment_intent": None, "status": "open"}
    stripe.sessions["cs_test_9"] = twin
    stripe.pay("cs_test_9")
    deliver(till, times=2)
    deliver(till)
    assert stripe.charges["pi_9"]["amount_refunded"] == 2900
    assert stripe.charges[order.payment_ref]["amount_refunded"] == 0
    assert refreshed(order).state == "paid"
    assert ledger.balance(order) == 2900
    assert left(person) == 44
    assert reconciliation.reconcile().differences == []


def test_a_refund_the_bank_returned_is_seen_and_sent_again(person, stripe):
    from tests.orders.conftest import AtStripe

    till = AtStripe(stripe)
    order = bought(person, till)
    services.take_back(actor=person.actor, subject=person.id, order_id=order.id)
    deliver(till)
    stripe.return_refund("re_1")
    deliver(till, times=2)
    assert ledger.balance(refreshed(order)) == 2900
    refund = selectors.open_refunds().get()
    assert "bank returned" in refund.trouble
    assert left(person) == 4, "what was taken back stays void"
    assert services.send_refunds() == 0, "nobody tries for ever by themselves"
    services.send_again(actor=person.actor, refund_id=refund.id)
    deliver(till)
    assert stripe.charges[order.payment_ref]["amount_refunded"] == 2900
    assert ledger.balance(refreshed(order)) == 0
    assert order.state == "refunded"


def test_a_coupon_for_everything_costs_nothing_and_leaves_nothing_to_refund(person, stripe):
    from tests.orders.conftest import AtStripe

    till, order = AtStripe(stripe), buy(person)
    stripe.pay(order.checkout_ref, percent_off=100)
    deliver(till)
    assert refreshed(order).state == "paid"
    assert (order.paid_minor, order.discount_minor) == (0, 2900)
    services.take_back(actor=person.actor, subject=person.id, order_id=order.id)
    assert refreshed(order).state == "refunded"
    assert left(person) == 4


@pytest.mark.parametrize("fault", ["down", "late"])
def test_stripe_failing_either_way_neither_charges_nor_refunds_twice(person, stripe, fault):
    from tests.orders.conftest import AtStripe

    till, stripe.fail = AtStripe(stripe), fault
    with pytest.raises(PaymentsUnavailable):
        buy(person)
    order = Order.objects.get()
    assert order.state == "created"
    stripe.fail = ""
    services.resume(subject=person.id, order_id=order.id)
    assert len(stripe.sessions) == 1
    till.pay(refreshed(order))
    deliver(till)
    stripe.fail = fault
    services.take_back(actor=person.actor, subject=person.id, order_id=order.id)
    refund = selectors.open_refunds().get()
    assert "cannot be reached" in refund.trouble
    assert left(person) == 4, "void at once, whether or not the money is on its way yet"
    stripe.fail = ""
    assert services.send_refunds() == 1
    deliver(till)
    assert stripe.charges["pi_1"]["amount_refunded"] == 2900
    assert len(stripe.refunds) == 1
    assert ledger.balance(refreshed(order)) == 0


def test_a_refund_made_at_stripe_itself_is_not_made_again(person, stripe):
    from tests.orders.conftest import AtStripe

    till = AtStripe(stripe)
    order = bought(person, till)
    stripe.refund_by_hand(order.payment_ref, 2900)
    services.take_back(actor=person.actor, subject=person.id, order_id=order.id)
    assert not selectors.open_refunds().exists()
    deliver(till)
    assert ledger.balance(refreshed(order)) == 0
    assert len(stripe.refunds) == 1


def test_payers_are_forgotten_at_stripe_once_their_money_is_back(person, stripe):
    from tests.orders.conftest import AtStripe

    till = AtStripe(stripe)
    order = bought(person, till)
    assert order.payer_ref in stripe.customers
    stripe.fail = "down"
    services.erase(person.id)
    assert services.say_farewell() == 0
    assert stripe.customers
    stripe.fail = ""
    assert services.send_refunds() == 1
    assert services.say_farewell() == 1
    assert not stripe.customers
    assert not Farewell.objects.exists()


def test_one_message_that_breaks_does_not_hold_up_the_others(person, stripe, monkeypatch):
    from tests.orders.conftest import AtStripe

    till, first = AtStripe(stripe), buy(person)
    second = buy(person)
    till.pay(first)
    till.pay(second)
    real = services.mark_paid

    def broken(order, fact):
        if order.id == first.id:
            raise RuntimeError("a mistake of ours")
        return real(order, fact)

    monkeypatch.setattr(services, "mark_paid", broken)
    deliver(till)
    assert refreshed(second).state == "paid"
    assert refreshed(first).state == "pending"
    assert selectors.stuck_messages().get().result == "failed: RuntimeError"
    monkeypatch.setattr(services, "mark_paid", real)
    events.process_waiting()
    assert refreshed(first).state == "paid"


def test_a_payment_in_another_currency_is_shown_and_pays_for_nothing(person, stripe):
    from tests.orders.conftest import AtStripe

    till, order = AtStripe(stripe), buy(person)
    stripe.sessions[order.checkout_ref]["currency"] = "usd"
    till.pay(order)
    deliver(till)
    assert refreshed(order).state == "pending"
    assert left(person) == 4
    assert "paid in another currency" in reconciliation.reconcile().differences[-1]


def test_messages_about_payments_that_are_not_ours_wait_and_then_end(person, stripe, later):
    from tests.orders.conftest import AtStripe

    stranger = {
        "id": "re_x",
        "payment_intent": "pi_x",
        "amount": 500,
        "currency": "eur",
        "metadata": {},
        "object": "refund",
    }
    stripe._tell("refund.created", {**stranger, "status": "succeeded"})
    deliver(AtStripe(stripe))
    assert selectors.stuck_messages().count() == 1
    later(days=40)
    reconciliation.reconcile()
    assert not selectors.stuck_messages().exists()


def test_forged_old_and_broken_messages_are_refused(person, stripe):
    order = buy(person)
    stripe.pay(order.checkout_ref)
    body = message(stripe.events[0])
    now = int(clock.now().timestamp())
    for bad, signature in [
        (body, ""),
        (body, "t=1,v1=x"),
        (body, signed(body, at=now, secret="whsec_other")),
        (body, signed(body, at=now - 301)),
        (body, "żółw"),
        (body + b" ", signed(body, at=now)),
        (b"\xff\xfe", signed(b"x", at=now)),
        (b"[]", signed(b"[]", at=now)),
        (b"{}", signed(b"{}", at=now)),
        (b"nonsense", signed(b"nonsense", at=now)),
    ]:
        with pytest.raises(WebhookRefused):
            events.receive(bad, signature)
    assert not StoredEvent.objects.exists()
    assert refreshed(order).state == "pending"
    events.receive(body, signed(body, at=now - 299))
    assert refreshed(order).state == "paid"


@pytest.mark.parametrize("signature", ["", "00", "ż"])
def test_the_test_checkout_believes_nobody_else_either(person, signature):
    order = buy(person)
    with pytest.raises(WebhookRefused):
        events.receive(b'{"id": "x", "kind": "paid", "order_id": "%s"}' % str(order.id).encode(), signature)
    assert refreshed(order).state == "pending"


@pytest.mark.parametrize(("environment", "key"), [("production", "sk_test_x"), ("staging", "sk_live_x")])
def test_a_key_for_the_wrong_kind_of_installation_is_refused(settings, environment, key):
    import dataclasses

    from headshotly.orders.payments import payments
    from tests.orders.conftest import with_options

    with_options(settings, stripe__secret_key=key)
    settings.HEADSHOTLY = dataclasses.replace(settings.HEADSHOTLY, environment=environment)
    with pytest.raises(PaymentsUnavailable, match="not for this kind"):
        payments()


def test_production_without_a_key_sells_nothing(person, settings):
    import dataclasses

    settings.HEADSHOTLY = dataclasses.replace(settings.HEADSHOTLY, environment="production")
    with pytest.raises(PaymentsUnavailable, match="No payment service"):
        buy(person)
    assert not Order.objects.exists()


def test_every_call_to_stripe_asks_the_gate_first(person, settings, monkeypatch):
    from headshotly.orders.payments import payments
    from headshotly.vendors import gate
    from headshotly.vendors.errors import EgressRefused
    from tests.orders.conftest import with_options

    with_options(settings, stripe__secret_key="sk_test_x")
    asked = []

    def refuse(host, **named):
        asked.append((host, named["carries"], named["cannot_wait"]))
        raise EgressRefused("nobody agreed to this")

    monkeypatch.setattr(gate, "require", refuse)
    with pytest.raises(PaymentsUnavailable):
        buy(person)
    order = Order.objects.get()
    assert order.state == "created"
    with pytest.raises(PaymentsUnavailable):
        payments().refund(order, Refund(order=order, minor=1))
    with pytest.raises(PaymentsUnavailable):
        payments().forget("cus_1")
    kinds = ("order and payment references",)
    assert asked == [("api.stripe.com", kinds, False), ("api.stripe.com", kinds, True), ("api.stripe.com", kinds, True)]
