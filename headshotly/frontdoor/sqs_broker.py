"""Work orders through Amazon SQS, a standard queue with a queue of dead letters behind it (``infra/``).

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from headshotly.frontdoor.broker import BrokerGone, Delivery
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.vendors import aws

_LONGEST_WAIT = 20  # seconds; SQS takes no more
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")


@contextmanager
def _answers() -> Iterator[None]:
    try:
        yield
    except (aws.BotoCoreError, aws.ClientError, OSError, Refusal) as error:
        raise BrokerGone(type(error).__name__) from error


@enforces("2.2")
class SqsBroker:
    """One queue of SQS.

    Args:
        client: an SQS client; ``vendors.aws`` makes it, in a region of the Union.
        url: of the queue; its redrive policy moves what was received four times to the dead letters.
        dead_url: of the dead letters; empty where they are not looked at from here.
    """

    def __init__(self, client: Any, *, url: str, dead_url: str = "") -> None:
        self._client, self._url, self._dead_url = client, url, dead_url

    @classmethod
    def from_options(cls, options: dict[str, str]) -> "SqsBroker":
        """Return the queue that the options ``queue.*`` name."""
        client = aws.client(
            "sqs", region=options.get("queue.region", "eu-north-1"), endpoint=options.get("queue.endpoint", "")
        )
        return cls(client, url=options["queue.url"], dead_url=options.get("queue.dead_url", ""))

    def send(self, body: str) -> None:
        """Put an order into the queue; SQS keeps it on several machines before it says so."""
        with _answers():
            self._client.send_message(QueueUrl=self._url, MessageBody=body)

    def receive(self, *, wait: float) -> Delivery | None:
        """Return the next order; see ``Broker.receive``. It waits in whole seconds."""
        with _answers():
            answer = self._client.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=1, WaitTimeSeconds=min(_LONGEST_WAIT, int(wait))
            )
        messages = answer.get("Messages", [])
        return Delivery(messages[0]["Body"], messages[0]["ReceiptHandle"]) if messages else None

    def done(self, delivery: Delivery) -> None:
        """Let an order never be delivered again."""
        with _answers():
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=delivery.receipt)

    def refuse(self, delivery: Delivery) -> None:
        """Give an order back at once; the redrive policy counts, and lays it aside."""
        with _answers():
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=delivery.receipt, VisibilityTimeout=0
            )

    def answers(self) -> None:
        """Return where the queue can be asked."""
        self.waiting()

    def waiting(self) -> int:
        """Return about how many orders wait or are under way."""
        return self._count(self._url)

    def dead(self) -> int:
        """Return about how many dead letters there are."""
        return self._count(self._dead_url) if self._dead_url else 0

    def _count(self, url: str) -> int:
        with _answers():
            answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))
        return sum(int(answer["Attributes"].get(name, 0)) for name in _COUNTS)
