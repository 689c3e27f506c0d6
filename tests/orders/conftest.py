"""A cash desk for the suite: people with orders, at Stripe's stand-in and at the test checkout, and their messages."""

import dataclasses
import json
import random
import time
from collections.abc import Iterator

import pytest

from headshotly.orders import events, rehearsal, selectors, services
from headshotly.orders.models import Order, RehearsedPayment
from tests.accounts.conftest import _quick, browser, customer, db_all  # noqa: F401 - fixtures
from tests.orders.stripe_stand_in import KEY, SECRET, Stripe, message, signed


def with_options(settings, **options: str) -> None:
    """Set options of the configuration; two underscores stand for a dot, and ``None`` removes one."""
    named = {name.replace("__", "."): value for name, value in options.items()}
    kept = {name: value for name, value in {**settings.HEADSHOTLY.options, **named}.items() if value is not None}
    settings.HEADSHOTLY = dataclasses.replace(settings.HEADSHOTLY, options=kept)


@pytest.fixture(autouse=True)
def _four_to_try(settings) -> None:
    with_options(settings, orders__trial_headshots="4")


@pytest.fixture
def stripe(settings) -> Iterator[Stripe]:
    """Stripe's stand-in, with the configuration pointing at it."""
    account = Stripe()
    with_options(
        settings, stripe__secret_key=KEY, stripe__webhook_secret=SECRET, stripe__address=account.address
    )  # fmt: skip
    yield account
    account.stop()


class AtStripe:
    """What customers do at Stripe, and the messages that come of it."""

    def __init__(self, account: Stripe) -> None:
        self.account, self.told = account, 0

    def pay(self, order: Order) -> None:
        self.account.pay(order.checkout_ref)

    def give_up(self, order: Order) -> None:
        self.account.expire(order.checkout_ref)

    def messages(self) -> list[tuple[bytes, str]]:
        """Every message not handed out yet."""
        fresh, self.told = self.account.events[self.told :], len(self.account.events)
        return [(message(one), signed(message(one), at=int(time.time()))) for one in fresh]


class AtRehearsal:
    """The same at the test checkout."""

    def __init__(self) -> None:
        self.waiting: list[tuple[bytes, str]] = []

    def pay(self, order: Order) -> None:
        self.waiting.append(rehearsal.decide(order.checkout_ref, order=order, pay=True))

    def give_up(self, order: Order) -> None:
        self.waiting.append(rehearsal.decide(order.checkout_ref, order=order, pay=False))

    def messages(self) -> list[tuple[bytes, str]]:
        for payment in RehearsedPayment.objects.exclude(refunded_minor=0):
            for fact in rehearsal._facts(payment):
                if fact.kind == "refunded":
                    body = json.dumps(fact.as_json()).encode()
                    self.waiting.append((body, rehearsal.sign(body)))
        fresh, self.waiting = self.waiting, []
        return fresh


@pytest.fixture(params=["stripe", "rehearsal"])
def till(request):
    """Both payment services, through one suite."""
    return AtStripe(request.getfixturevalue("stripe")) if request.param == "stripe" else AtRehearsal()


def deliver(till, *, shuffle: random.Random | None = None, times: int = 1) -> None:
    """Hand every waiting message over, in whatever order, as often as given."""
    waiting = till.messages() * times
    if shuffle:
        shuffle.shuffle(waiting)
    for body, signature in waiting:
        events.receive(body, signature)


def buy(person, package: str = "personal", count: int = 1) -> Order:
    order, _ = services.begin(actor=person.actor, subject=person.id, package_id=package, count=count)
    order.refresh_from_db()
    return order


def bought(person, till, package: str = "personal", count: int = 1) -> Order:
    """A paid order."""
    order = buy(person, package, count)
    till.pay(order)
    deliver(till)
    order.refresh_from_db()
    assert order.state == "paid", order.state
    return order


def left(person) -> int:
    return selectors.left(person.id)
