"""What carries work orders to workers where the database does not: SQS, or a stream of Redis or Valkey.

A broker is believed in nothing. It may lose an order, deliver it twice, late, in any order, or one that nobody wrote:
the task's row in the database decides (``queueing``). All it must do is to deliver most orders soon.
"""

from dataclasses import dataclass
from functools import cache
from typing import Protocol

from headshotly.policy import configuration
from headshotly.policy.refusal import Refusal

ENGINES = ("database", "sqs", "redis")
DELIVERIES_MAX = 4  # of an order that nobody could read, before it is laid aside


class BrokerGone(Exception):
    """The broker did not answer, or refused; whether it did what was asked is not known."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One order as it was delivered.

    Attributes:
        body: what was sent; whoever may write to the queue may have written anything.
        receipt: the broker's own name for this delivery.
    """

    body: str
    receipt: str


class Broker(Protocol):
    """A queue of short texts, each delivered at least once, or not at all.

    Every method raises ``BrokerGone`` where the broker does not answer.
    """

    def send(self, body: str) -> None:
        """Put an order into the queue."""

    def receive(self, *, wait: float) -> Delivery | None:
        """Return the next order, for which we have two minutes until it is delivered again.

        Args:
            wait: seconds to wait for one; the broker may round it.
        """

    def done(self, delivery: Delivery) -> None:
        """Let an order never be delivered again."""

    def refuse(self, delivery: Delivery) -> None:
        """Give an order back that cannot be read; after ``DELIVERIES_MAX`` it lies among the dead letters."""

    def waiting(self) -> int:
        """Return about how many orders wait or are under way."""

    def dead(self) -> int:
        """Return about how many dead letters there are."""

    def answers(self) -> None:
        """Return where orders are taken at the moment; what it asks for, every process that uses the queue may."""


@cache
def _made(engine: str, options: tuple[tuple[str, str], ...]) -> Broker:
    named = dict(options)
    if not named.get("queue.url"):
        raise Refusal("The queue has no address: set the option queue.url.", code="queue.no_address")
    if engine == "sqs":
        # Loaded only where it is used: boto3 is slow to import.
        from headshotly.frontdoor.sqs_broker import SqsBroker  # noqa: PLC0415

        return SqsBroker.from_options(named)
    from headshotly.frontdoor.redis_broker import RedisBroker  # noqa: PLC0415 - only where it is used

    return RedisBroker.from_options(named)


def engine() -> str:
    """Return what carries work orders: option ``queue.engine``, ``database`` unless it says ``sqs`` or ``redis``.

    Raises:
        Refusal: it says something else.
    """
    named = configuration.current().options.get("queue.engine", "database")
    if named not in ENGINES:
        raise Refusal(f"The queue's engine is “{named}”; it must be one of {', '.join(ENGINES)}.", code="queue.engine")
    return named


def current() -> Broker | None:
    """Return the broker of this process; None where workers look into the database themselves.

    Options: ``queue.url``; for SQS ``queue.dead_url``, ``queue.region``, ``queue.endpoint``; for Redis ``queue.name``.

    Raises:
        Refusal: the options name none that there is.
    """
    named = engine()
    if named == "database":
        return None
    options = configuration.current().options
    return _made(named, tuple(sorted((key, value) for key, value in options.items() if key.startswith("queue."))))


def forget() -> None:
    """Let the next call make the broker anew: after a fork, connections belong to the parent."""
    _made.cache_clear()
