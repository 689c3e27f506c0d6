"""Small messages to a chat or pager of the house's choosing: the one seam for them (Slack, Teams, PagerDuty)."""

import json
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.vendors import categories, closures, dropping, https

_FINE = range(200, 300)


class NotPosted(Refusal):
    """The message could not be handed over; trying again is safe."""

    code = "webhook.not_posted"
    status = 503


class Poster(Protocol):
    """Hands one JSON message over."""

    def post(self, url: str, document: dict[str, Any], *, once: UUID) -> None:
        """Hand it over, or raise ``NotPosted`` or ``https.AddressRefused``."""


def _body(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


class FolderPoster:
    """Writes each message as a file: the local default, where nobody outside is spoken to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def post(self, url: str, document: dict[str, Any], *, once: UUID) -> None:
        """Write the message; a crash leaves a hidden scratch file or the whole message."""
        host = https.address_of(url).host
        closures.require_open(host)
        body = _body({"to": host, "at": clock.now().isoformat(), "message": document})
        try:
            dropping.drop(self._folder / f"{once}.json", body)
        except OSError as error:
            raise NotPosted("The message could not be handed over.") from error


class HttpsPoster:
    """Speaks HTTPS to a vendor on the register; its answer is read no further than its status."""

    def post(self, url: str, document: dict[str, Any], *, once: UUID) -> None:
        """Post the message; one id is one message, also where it is handed over twice."""
        try:
            answer = https.request(
                "POST",
                url,
                body=_body(document),
                headers={"Content-Type": "application/json", "Idempotency-Key": str(once)},
                carries=(categories.PSEUDONYMS,),
                cannot_wait=True,
            )
        except https.NoAnswer as error:
            raise NotPosted("The chat or pager did not answer.") from error
        if answer.status not in _FINE:
            raise NotPosted(f"The chat or pager answered {answer.status}.")


def _poster() -> Poster:
    here = configuration.current()
    if here.options.get("webhooks.outside", "no" if here.environment in {"local", "test"} else "yes") == "yes":
        return HttpsPoster()
    return FolderPoster(here.mail_folder / "webhooks")


@enforces("1.2.d", "9.1.b")
def post(url: str, document: dict[str, Any], *, once: UUID) -> None:
    """Hand one message over to a chat or pager.

    Options: ``webhooks.outside`` (yes or no); by default a local installation writes into the mail folder instead.

    Args:
        url: of the chat's or pager's webhook; its path is a secret and is logged nowhere.
        document: JSON; pseudonyms only.
        once: id of the message.

    Raises:
        AddressRefused: it is no public HTTPS address.
        NotPosted: it was not handed over.
        EgressRefused: its host is no vendor's in force.
        VendorClosed: its door is shut.
    """
    _poster().post(url, document, once=once)
