"""Mail leaves the house here and nowhere else.

The local default writes each mail into a folder that stands for the recipients' mailboxes. That folder lies outside
the data folder, because a mailbox is readable by its owner and the data folder must be readable by nobody.
"""

import os
import re
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from uuid import UUID

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.policy import clock, configuration
from headshotly.policy.refusal import Refusal
from headshotly.vendors import closures

_UNSAFE = re.compile(r"[^a-z0-9]+")
_ADDRESS_MAX = 254  # RFC 5321, section 4.5.3.1.3


class MailNotSent(Refusal):
    """The mail could not be handed over; trying again is safe."""

    code = "mail.not_sent"
    status = 503


class Mailer(Protocol):
    """Hands one message over for delivery."""

    def deliver(self, message: EmailMessage) -> None:
        """Deliver the message, or raise ``MailNotSent``."""


class FolderMailer:
    """Writes each mail as a file and says so on the terminal, without the recipient's address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, message: EmailMessage) -> None:
        """Write the message; a crash leaves a hidden scratch file or the whole mail."""
        slug = _UNSAFE.sub("-", str(message["Subject"]).lower()).strip("-")[:48]
        # A mail with an id of its own lands in one file, however often it is handed over.
        name = str(message["Message-ID"] or "").strip("<>").partition("@")[0] or f"{clock.now():%Y%m%d-%H%M%S-%f}"
        path = self._folder / f"{name}-{slug}.eml"
        scratch = path.with_name(f".{secrets.token_hex(8)}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(message.as_bytes())
            scratch.replace(path)
        except OSError as error:
            scratch.unlink(missing_ok=True)
            raise MailNotSent("The mail could not be sent. Please try again in a few minutes.") from error
        sys.stderr.write(f"mail: “{message['Subject']}” → {path}\n")
        sys.stderr.flush()


def _mailer() -> Mailer:
    return FolderMailer(configuration.current().mail_folder)


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with a mail.

    Attributes:
        name: of the file.
        media_type: such as ``application/pdf``.
        data: its bytes.
    """

    name: str
    media_type: str
    data: bytes


def send(
    *,
    to: str,
    subject: str,
    text: str,
    about: UUID | None,
    once: UUID | None = None,
    attached: Sequence[Attached] = (),
) -> None:
    """Send one plain-text mail and journal that it went, without the address.

    Args:
        to: the recipient's address.
        subject: one line.
        text: the body; the operator's name and addresses are added.
        about: pseudonym of the data subject it concerns.
        once: an id for a mail that may be handed over again after a crash; a mailbox keeps one mail an id.
        attached: files that go with it.

    Raises:
        MailNotSent: it was not handed over, or the address cannot be one.
        VendorClosed: the way out is shut while an incident is looked into.
    """
    if len(to) > _ADDRESS_MAX or any(character in to for character in "\r\n,") or "@" not in to:
        raise MailNotSent("The mail address is not one we can send to.")
    operator = configuration.current().operator
    message = EmailMessage()
    message["From"] = f"{operator.name} <{operator.privacy_email}>"
    message["To"] = to
    message["Subject"] = subject
    if once is not None:
        message["Message-ID"] = f"<{once}@{operator.privacy_email.rpartition('@')[2]}>"
    message.set_content(
        f"{text.strip()}\n\n— \n{operator.name}, {operator.postal_address}\n"
        f"{operator.privacy_email} · {operator.website}\n"
    )
    for one in attached:
        main, _, kind = one.media_type.partition("/")
        message.add_attachment(one.data, maintype=main, subtype=kind, filename=one.name)
    closures.require_open(closures.MAIL)
    _mailer().deliver(message)
    audit.record(actor=SYSTEM, act=Act.MAIL_SENT, subject=about, purpose=subject)
