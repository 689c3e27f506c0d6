"""Sending the messages that are due: signed anew each time, tried again with growing pauses, logged.

Two ways to send behind one seam: HTTPS to where the customer said, and, on a machine that speaks to nobody, a file for
each message. Option ``webhooks.outside`` (yes or no) chooses, as for the house's own messages.
"""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from headshotly.access.warrants import worker_warrant
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act, Outcome
from headshotly.integrations import signing, webhooks
from headshotly.integrations.errors import NotDelivered
from headshotly.integrations.models import WebhookDelivery
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.vendors import closures, dropping, https, posting

_FINE = range(200, 300)
_WARRANT_VALID = dt.timedelta(minutes=2)
_NAMES = {webhooks.EXPORT_READY: "export_id", webhooks.TEST: "test_id"}


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
        return https.request("POST", url, body=body, headers=headers, at_request_of=subject).status


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
def _hand_over(row: Any, message_id: UUID) -> bool:
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
    return True


def _given_up(row: Any, _why: str) -> None:
    audit.record(actor=SYSTEM, act=Act.WEBHOOK_FAILED, subject=row.subject, object_ids=[row.id], outcome=Outcome.FAILED)


def send_due(*, most: int = 500) -> int:
    """Send the messages that are due, and those that a crash left in between; return how many arrived."""
    rows = WebhookDelivery.objects.select_related("endpoint")
    return posting.send_due(rows, hand_over=_hand_over, given_up=_given_up, most=most)
