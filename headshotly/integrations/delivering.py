"""Sending the messages that are due: signed anew each time, tried again with growing pauses, logged.

Two ways to send behind one seam: HTTPS to where the customer said, and, on a machine that speaks to nobody, a file for
each message. Option ``webhooks.outside`` (yes or no) chooses, as for the house's own messages.
"""

import datetime as dt
import json
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from django.db import connections

from headshotly.access.warrants import worker_warrant
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act, Outcome
from headshotly.integrations import signing, troubles, turns, webhooks
from headshotly.integrations.errors import NotDelivered
from headshotly.integrations.models import Trouble, WebhookDelivery, WebhookEndpoint
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.vendors import closures, dropping, https, posting
from headshotly.vendors.posting import PostState

SENDERS, FOR_FAILING = 8, 3
LOOK_AGAIN_SECONDS = 0.5  # a message that became due while others are under way
REST_MAX = dt.timedelta(minutes=10)
_FINE = range(200, 300)
_BUSY = frozenset({429, 502, 503, 504})  # whoever answers so wants less for a while (Standard Webhooks)
_WARRANT_VALID = dt.timedelta(minutes=2)
_NAMES = {webhooks.EXPORT_READY: "export_id", webhooks.SEAT_TAKEN: "seat_id", webhooks.TEST: "test_id"}


class Sender(Protocol):
    """Hands one signed message over."""

    def send(self, url: str, *, headers: Mapping[str, str], body: bytes, subject: UUID) -> int:
        """Return the HTTP status it was answered with, or raise a ``Refusal`` where nothing came back."""


class FolderSender:
    """Writes each message as a file: the local default, where nobody outside is spoken to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, url: str, *, headers: Mapping[str, str], body: bytes, subject: UUID) -> int:  # noqa: ARG002 - the seam's
        """Write the message; a crash leaves a hidden scratch file or the whole message."""
        host = https.address_of(url).host
        closures.require_open(host)
        document = {"to": host, "headers": dict(headers), "body": body.decode()}
        try:
            dropping.drop(self._folder / f"{headers['webhook-id']}.json", json.dumps(document).encode())
        except OSError as error:
            raise NotDelivered("The message could not be written.") from error
        return 200


class HttpsSender:
    """Speaks HTTPS to the public address a customer named; its answer is read no further than its status."""

    def send(self, url: str, *, headers: Mapping[str, str], body: bytes, subject: UUID) -> int:
        """Send the message."""
        return https.request("POST", url, body=body, headers=headers, at_request_of=subject, answer_bytes_max=0).status


def sender() -> Sender:
    """Return how this installation sends."""
    here = configuration.current()
    if here.options.get("webhooks.outside", "no" if here.environment in {"local", "test"} else "yes") == "yes":
        return HttpsSender()
    return FolderSender(here.mail_folder / "customers-webhooks")


def body_of(row: WebhookDelivery) -> bytes:
    """Return a message: the event, when it happened, and the id of what it is about; the same at every try."""
    document = {
        "type": row.event,
        "timestamp": row.happened_at.isoformat(),
        "data": {_NAMES.get(row.event, "job_id"): str(row.about)},
    }
    return json.dumps(document, separators=(",", ":")).encode()


@enforces("1.2.d", "5.3.a")
def _hand_over(row: WebhookDelivery, message_id: UUID) -> None:
    """Send one message; the endpoint's address and secret are opened for it under a warrant of its own."""
    warrant = worker_warrant(
        subject=row.subject, job_id=row.id, purpose="webhook", valid_for=_WARRANT_VALID, role="integrations"
    )
    url, secret, body = row.endpoint.url.open(warrant), row.endpoint.secret.open(warrant), body_of(row)
    carried = signing.headers(
        secret=secret, message_id=str(message_id), timestamp=int(clock.now().timestamp()), body=body
    )
    mine = WebhookDelivery.objects.filter(id=row.id)
    mine.update(tried_at=clock.now(), answered=None)
    status = sender().send(url, headers=carried, body=body, subject=row.subject)
    mine.update(answered=status)
    if status not in _FINE:
        raise NotDelivered(f"The endpoint answered {status}.", answered=status)


def _given_up(row: Any, _why: str) -> None:
    """Write down that a message is given up; an endpoint that took nothing in the meantime is paused with it."""
    audit.record(actor=SYSTEM, act=Act.WEBHOOK_FAILED, subject=row.subject, object_ids=[row.id], outcome=Outcome.FAILED)
    taken_at = WebhookEndpoint.objects.filter(id=row.endpoint_id).values_list("taken_at", flat=True).first()
    others_taken = taken_at is not None and taken_at > row.happened_at
    troubles.begin(row, Trouble.CHOOSY if others_taken else Trouble.SILENT)


def _gone(row: Any, _why: str) -> None:
    audit.record(actor=SYSTEM, act=Act.WEBHOOK_FAILED, subject=row.subject, object_ids=[row.id], outcome=Outcome.FAILED)
    troubles.begin(row, Trouble.GONE)


def _taken(row: WebhookDelivery) -> None:
    """Write down that a message arrived; one that nobody answered before need not wait any longer either."""
    now = clock.now()
    with turns.ending(row, taken_at=now, failing_since=None):
        posting.arrived(row)
        if row.endpoint.failing_since is not None:
            unheard = WebhookDelivery.objects.filter(endpoint=row.endpoint_id, state=PostState.QUEUED, answered=None)
            unheard.update(next_at=now)


def _not_taken(row: WebhookDelivery, why: NotDelivered | https.NoAnswer | https.AddressRefused) -> None:
    """Try a message again later. One that was answered steps aside; where nothing was answered, the endpoint rests."""
    now, answered = clock.now(), getattr(why, "answered", None)
    failing = {"failing_since": row.endpoint.failing_since or now}
    if answered == HTTPStatus.GONE:
        with turns.ending(row, **failing):
            posting.give_up(row, why.code, _gone)
        return
    if answered is None or answered in _BUSY:
        failing["not_before"] = now + min(row.FIRST_PAUSE * 2**row.attempts, REST_MAX)
    with turns.ending(row, **failing):
        posting.again(row, why.code, _given_up)


def _send(row: WebhookDelivery) -> bool:
    """Send one message whose turn it is; a crash anywhere in between leaves it marked, to be sent again with its id."""
    try:
        _hand_over(row, posting.mail_id(row))
    except (NotDelivered, https.NoAnswer, https.AddressRefused) as refusal:
        _not_taken(row, refusal)
        return False
    except Refusal:  # ours: a closed host, a key service that is away; the endpoint has nothing to do with it
        until = clock.now() + row.FIRST_PAUSE
        with turns.ending(row, not_before=until):
            posting.put_back(row, until)
        return False
    _taken(row)
    return True


def _send_on_thread(row: WebhookDelivery) -> bool:
    try:
        return _send(row)
    finally:
        connections.close_all()


def send_due(*, most: int = 500, seconds: float = 30.0) -> int:
    """Send the messages that are due, and those that a crash left in between, several endpoints at once.

    Of the ``SENDERS`` no more than ``FOR_FAILING`` serve endpoints that took nothing the last time, so that however
    many hang, the others' messages go out at once.

    Args:
        most: how many tries at most.
        seconds: after which no new one begins; one that has begun ends within half a minute.

    Returns:
        How many arrived.
    """
    until, begun, arrived = time.monotonic() + seconds, 0, 0
    at_work: dict[Future[bool], bool] = {}
    unforeseen: list[Exception] = []
    with ThreadPoolExecutor(SENDERS, thread_name_prefix="webhooks") as pool:
        while True:
            for failing, lane in ((False, SENDERS), (True, FOR_FAILING)):
                free = min(SENDERS - len(at_work), lane - list(at_work.values()).count(failing))
                over = begun >= most or time.monotonic() > until
                for row in [] if over else turns.take(min(free, most - begun), failing=failing):
                    at_work[pool.submit(_send_on_thread, row)] = failing
                    begun += 1
            if not at_work:
                break
            for done in wait(at_work, timeout=LOOK_AGAIN_SECONDS, return_when=FIRST_COMPLETED).done:
                del at_work[done]
                try:
                    arrived += done.result()
                except Exception as error:  # noqa: BLE001 - told below; the message is tried again
                    unforeseen.append(error)
    if unforeseen:
        raise unforeseen[0]
    return arrived
