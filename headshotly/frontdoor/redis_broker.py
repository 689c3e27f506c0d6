"""Work orders through a stream of Redis or Valkey, read by one group: https://redis.io/docs/latest/develop/data-types/streams/.

A server without ``appendonly`` forgets the stream when it dies. Nothing is lost by that: the rows are in the database,
and are announced again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from headshotly.frontdoor.broker import DELIVERIES_MAX, BrokerGone, Delivery
from headshotly.policy.refusal import Refusal
from headshotly.vendors import brokers

_GROUP = "workers"
_READER = "worker"  # one name for all: what a dead one left is taken over by its age, not by its name
AGAIN_AFTER_MS = 120_000
_FIELD = b"order"


@contextmanager
def _answers() -> Iterator[None]:
    try:
        yield
    except (brokers.RedisError, OSError, Refusal) as error:
        raise BrokerGone(type(error).__name__) from error


class RedisBroker:
    """One stream with its group of readers, and a second stream of dead letters.

    Args:
        client: of the server; ``vendors.brokers`` makes it.
        name: begins the name of both streams.
    """

    def __init__(self, client: Any, *, name: str = "headshotly") -> None:
        self._client = client
        self._stream, self._dead_stream = f"{name}:orders", f"{name}:dead"

    @classmethod
    def from_options(cls, options: dict[str, str]) -> "RedisBroker":
        """Return the stream that the options ``queue.*`` name."""
        return cls(brokers.client(options["queue.url"]), name=options.get("queue.name", "headshotly"))

    def send(self, body: str) -> None:
        """Put an order into the stream."""
        with _answers():
            self._client.xadd(self._stream, {_FIELD: body})

    def receive(self, *, wait: float) -> Delivery | None:
        """Return the next order, first one that somebody got two minutes ago; see ``Broker.receive``."""
        with _answers():
            try:
                found = self._left_behind() or self._fresh(wait)
            except brokers.ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                # The first look at this server, or it forgot everything.
                self._make_group()
                found = self._fresh(wait)
        if found is None:
            return None
        number, fields = found
        return Delivery(fields.get(_FIELD, b"").decode(errors="replace"), number.decode())

    def _left_behind(self) -> tuple[bytes, dict[bytes, bytes]] | None:
        claimed = self._client.xautoclaim(self._stream, _GROUP, _READER, AGAIN_AFTER_MS, start_id="0-0", count=1)
        entries = [entry for entry in claimed[1] if entry[1]]
        return entries[0] if entries else None

    def _fresh(self, wait: float) -> tuple[bytes, dict[bytes, bytes]] | None:
        # BLOCK 0 would wait for ever.
        block = max(1, int(wait * 1000))
        streams = self._client.xreadgroup(_GROUP, _READER, {self._stream: ">"}, count=1, block=block)
        return streams[0][1][0] if streams else None

    def _make_group(self) -> None:
        try:
            self._client.xgroup_create(self._stream, _GROUP, id="0", mkstream=True)
        except brokers.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):  # another worker was faster
                raise

    def done(self, delivery: Delivery) -> None:
        """Let an order never be delivered again."""
        with _answers(), self._client.pipeline(transaction=True) as both:
            both.xack(self._stream, _GROUP, delivery.receipt)
            both.xdel(self._stream, delivery.receipt)
            both.execute()

    def refuse(self, delivery: Delivery) -> None:
        """Lay an order aside that nobody could read, or let it come again while it was not tried often enough."""
        with _answers():
            pending = self._client.xpending_range(self._stream, _GROUP, delivery.receipt, delivery.receipt, 1)
            times = int(pending[0]["times_delivered"]) if pending else DELIVERIES_MAX
            with self._client.pipeline(transaction=True) as both:
                if times >= DELIVERIES_MAX:
                    both.xadd(self._dead_stream, {_FIELD: delivery.body}, maxlen=10_000)
                    both.xack(self._stream, _GROUP, delivery.receipt)
                    both.xdel(self._stream, delivery.receipt)
                else:
                    # As old as if it had been given out long ago, so that the next look finds it.
                    both.xclaim(self._stream, _GROUP, _READER, 0, [delivery.receipt], idle=AGAIN_AFTER_MS, justid=True)
                both.execute()

    def answers(self) -> None:
        """Return where the server answers."""
        with _answers():
            self._client.ping()

    def waiting(self) -> int:
        """Return how many orders wait or are under way."""
        with _answers():
            return int(self._client.xlen(self._stream))

    def dead(self) -> int:
        """Return how many dead letters there are."""
        with _answers():
            return int(self._client.xlen(self._dead_stream))
