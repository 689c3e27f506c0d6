"""Whatever happens in whatever order: nobody is charged without headshots or refund, none is made twice, books balance.

Hypothesis buys, pays, loses and doubles messages, breaks the line to Stripe, makes headshots and fails them, disputes,
refunds here and at Stripe. After every step the books balance; at the end, once the line is mended and the daily
comparison has run, Stripe's account and ours say the same.
"""

import os
import time
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from headshotly.audit.actor import Actor
from headshotly.orders import events, ledger, reconciliation, selectors, services, spending
from headshotly.orders.errors import OrderNotFound, PaymentNeeded, PaymentsUnavailable, RefundRefused
from headshotly.orders.models import (
    Credit,
    Dispute,
    Invoice,
    Order,
    OrderState,
    Posting,
    Reason,
    Refund,
    Spend,
    StoredEvent,
)
from tests.orders.stripe_stand_in import Stripe, message, signed

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.clause("7.1.a")]
NUMBERS = st.integers(min_value=0, max_value=1_000)


class CashDesk(RuleBasedStateMachine):
    """One customer, Stripe, and everything between them."""

    account: Stripe

    @initialize()
    def open(self):
        for kept in (self.account.sessions, self.account.charges, self.account.refunds, self.account.disputed):
            kept.clear()
        self.account.events.clear()
        self.account.answers.clear()
        self.account.fail = ""
        self.prefix = uuid4().hex[:8]
        self.subject = uuid4()
        self.actor = Actor(kind="customer", id=self.subject)
        self.shoots: dict = {}
        self.settled: list = []
        self.disputes: dict[str, str] = {}
        for kind in (Invoice, Posting, Refund, Dispute, Spend, Credit, StoredEvent, Order):
            kind.objects.all().delete()

    def orders(self):
        return list(Order.objects.filter(subject=self.subject).order_by("created_at"))

    @rule()
    def buy(self):
        if len(self.orders()) >= 3:
            return
        try:
            services.begin(actor=self.actor, subject=self.subject, package_id="personal")
        except PaymentsUnavailable:
            assert self.account.fail

    @rule(number=NUMBERS)
    def go_on_with_an_order(self, number):
        orders = self.orders()
        if orders:
            try:
                services.resume(subject=self.subject, order_id=orders[number % len(orders)].id)
            except (PaymentsUnavailable, OrderNotFound):
                return

    def _sessions(self, status):
        return [name for name, one in self.account.sessions.items() if one["status"] == status]

    @rule(number=NUMBERS, percent_off=st.sampled_from([0, 0, 0, 10, 33]))
    def pay(self, number, percent_off):
        waiting = self._sessions("open")
        if waiting:
            self.account.pay(waiting[number % len(waiting)], percent_off=percent_off)

    @rule(number=NUMBERS)
    def let_the_page_expire(self, number):
        waiting = self._sessions("open")
        if waiting:
            self.account.expire(waiting[number % len(waiting)])

    @rule(number=NUMBERS)
    def a_message_arrives_or_arrives_again(self, number):
        if self.account.events:
            body = message(self.account.events[number % len(self.account.events)])
            events.receive(body, signed(body, at=int(time.time())))

    @rule(fault=st.sampled_from(["", "", "down", "late"]))
    def the_line(self, fault):
        self.account.fail = fault

    @rule(count=st.integers(1, 30))
    def start_a_shoot(self, count):
        shoot_id, pieces = uuid4(), [f"p{number}:s" for number in range(count)]
        before = selectors.left(self.subject)
        try:
            spending.claim(self.subject, shoot_id, pieces)
        except PaymentNeeded:
            assert before < count
            return
        assert selectors.left(self.subject) == before - count
        self.shoots[shoot_id] = pieces

    @precondition(lambda self: self.shoots)
    @rule(number=NUMBERS, made=st.integers(0, 30), failed=st.booleans())
    def end_a_shoot(self, number, made, failed):
        shoot_id = list(self.shoots)[number % len(self.shoots)]
        pieces = self.shoots.pop(shoot_id)
        services.shoot_ended(shoot_id=shoot_id, failed=failed, made=pieces[:made])
        self.settled.append((shoot_id, pieces[:made]))

    @precondition(lambda self: self.settled)
    @rule(number=NUMBERS)
    def download(self, number):
        shoot_id, made = self.settled[number % len(self.settled)]
        try:
            spending.deliver(shoot_id, made[:1])
        except PaymentNeeded:
            orders = Order.objects.filter(id__in=Spend.objects.filter(shoot_id=shoot_id).values("credit__order_id"))
            assert any(one.state != OrderState.PAID or spending._given_back(one) for one in orders)

    @precondition(lambda self: self.settled)
    @rule(number=NUMBERS)
    def make_again(self, number):
        shoot_id, made = self.settled.pop(number % len(self.settled))
        before = selectors.left(self.subject)
        spending.claim(self.subject, shoot_id, made)
        assert selectors.left(self.subject) == before, "what is paid for is not paid for again"
        self.shoots[shoot_id] = made

    @rule(number=NUMBERS)
    def take_back(self, number):
        orders = self.orders()
        if not orders:
            return
        order = orders[number % len(orders)]
        delivered = Spend.objects.filter(credit__order=order, downloaded_at__isnull=False).exists()
        try:
            services.take_back(actor=self.actor, subject=self.subject, order_id=order.id)
        except RefundRefused:
            return
        assert not delivered

    @rule(number=NUMBERS, minor=st.integers(1, 4000))
    def finance_refunds(self, number, minor):
        paid = [one for one in self.orders() if one.state == OrderState.PAID]
        if paid:
            order = paid[number % len(paid)]
            try:
                services.refund_by_staff(
                    actor=self.actor, order_id=order.id, minor=minor, reason=Reason.GOODWILL, once=uuid4()
                )
            except RefundRefused:
                return

    @rule(number=NUMBERS, minor=st.integers(1, 4000))
    def somebody_refunds_at_stripe(self, number, minor):
        if self.account.charges:
            self.account.refund_by_hand(list(self.account.charges)[number % len(self.account.charges)], minor)

    @rule(number=NUMBERS)
    def the_bank_returns_a_refund(self, number):
        good = [name for name, one in self.account.refunds.items() if one["status"] == "succeeded"]
        if good and self.account.refunds[good[number % len(good)]]["payment_intent"] not in self.account.disputed:
            self.account.return_refund(good[number % len(good)])

    @rule(number=NUMBERS)
    def dispute(self, number):
        open_to_it = [
            ref for ref, one in self.account.charges.items()
            if ref not in self.account.disputed and one["amount_refunded"] < one["amount"]
        ]  # fmt: skip
        if open_to_it:
            ref = open_to_it[number % len(open_to_it)]
            name = f"du_{self.prefix}_{len(self.account.events)}"
            self.disputes[name] = ref
            self.account.dispute(ref, name=name)

    @precondition(lambda self: self.disputes)
    @rule(number=NUMBERS, won=st.booleans())
    def close_a_dispute(self, number, won):
        name = list(self.disputes)[number % len(self.disputes)]
        ref = self.disputes.pop(name)
        self.account.close_dispute(ref, won=won, name=name)
        if not won:
            charge = self.account.charges[ref]
            charge["lost"] = charge["amount"] - charge["amount_refunded"]

    @rule()
    def the_duty(self):
        events.process_waiting()
        services.send_refunds()

    @rule()
    def the_daily_comparison(self):
        try:
            reconciliation.reconcile()
        except PaymentsUnavailable:
            assert self.account.fail

    @invariant()
    def the_books_balance_and_nothing_is_given_twice(self):
        if not hasattr(self, "subject"):
            return
        assert ledger.unbalanced() == []
        for order in self.orders():
            granted = list(Credit.objects.filter(order=order))
            assert len(granted) == (1 if order.payment_ref else 0)
            assert ledger.went_back(order) >= 0
            for credit in granted:
                counted = sum(len(one.pieces) for one in Spend.objects.filter(credit=credit).exclude(state="returned"))
                assert counted <= credit.granted
            taken_back = Refund.objects.filter(order=order, reason=Reason.BUYER).first()
            if taken_back:
                late = Spend.objects.filter(credit__order=order, downloaded_at__gte=taken_back.asked_at)
                assert not late.exists()

    def teardown(self):
        if not hasattr(self, "subject"):
            return
        self.account.fail = ""
        for shoot_id, pieces in self.shoots.items():
            services.shoot_ended(shoot_id=shoot_id, failed=True, made=pieces[:1])
        for name, ref in self.disputes.items():
            self.account.close_dispute(ref, won=True, name=name)
        for _ in range(3):
            reconciliation.reconcile()
            for refund in Refund.objects.filter(order__subject=self.subject, returned_at__isnull=False):
                services.send_again(actor=self.actor, refund_id=refund.id)
        assert not selectors.stuck_messages().exists()
        by_order = {one["client_reference_id"]: one for one in self.account.sessions.values()}
        for order in self.orders():
            session = by_order.get(str(order.id))
            charge = self.account.charges.get(session["payment_intent"] or "") if session else None
            if charge is None:
                assert order.state in {OrderState.CREATED, OrderState.PENDING, OrderState.EXPIRED}
                assert not Credit.objects.filter(order=order).exists()
                continue
            stands = charge["amount"] - charge["amount_refunded"] - charge.get("lost", 0)
            assert ledger.balance(order) == stands, "Stripe's account and our books say the same"
            assert order.paid_minor == charge["amount"]
            if stands == 0:
                assert order.state == OrderState.REFUNDED
            else:
                assert order.state == OrderState.PAID
                assert not Refund.objects.filter(order=order, reason=Reason.BUYER).exists()
                credit = Credit.objects.get(order=order)
                made = sum(len(one.pieces) for one in Spend.objects.filter(credit=credit, state="settled"))
                unmade = credit.used - made
                assert ledger.went_back(order) * 40 >= unmade * order.paid_minor, "what was not made went back"


def test_whatever_happens(db, stripe, monkeypatch):
    CashDesk.account = stripe
    monkeypatch.setattr("headshotly.orders.stripe_payments._RETRIES", 0)
    run_state_machine_as_test(
        CashDesk,
        settings=settings(
            max_examples=int(os.environ.get("HEADSHOTLY_EXAMPLES", "25")),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
