"""Mail leaves the house here and nowhere else.

The local default writes each mail into a folder that stands for the recipients' mailboxes. That folder lies outside
the data folder, because a mailbox is readable by its owner and the data folder must be readable by nobody.
"""

import re
import smtplib
import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.policy import clock, configuration
from headshotly.policy.refusal import Refusal
from headshotly.vendors import categories, closures, dropping, gate, https, way_out

_UNSAFE = re.compile(r"[^a-z0-9]+")
_LATER = "The mail could not be sent. Please try again in a few minutes."
_SMTPS, _SECONDS = 465, 20
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
        try:
            dropping.drop(path, message.as_bytes())
        except OSError as error:
            raise MailNotSent(_LATER) from error
        sys.stderr.write(f"mail: “{message['Subject']}” → {path}\n")
        sys.stderr.flush()


class SmtpMailer:
    """Hands each mail to a server of the operator's choosing, over TLS 1.2 or higher."""

    def __init__(
        self, *, host: str, port: int, user: str = "", password_file: str = "", trust: ssl.SSLContext | None = None
    ) -> None:
        """Take the server.

        Args:
            host: its name.
            port: 465 speaks TLS from the first byte; any other upgrades by STARTTLS, or nothing is sent.
            user: to sign in as; empty for nobody.
            password_file: holds the password and nothing else.
            trust: whom to believe; the system's authorities by default.
        """
        self._host, self._port, self._user, self._password_file = host, port, user, password_file
        self._trust = trust or https.modern_tls()

    def _connected(self) -> smtplib.SMTP:
        own_name = "localhost"  # the server need not learn how this machine is called
        if self._port == _SMTPS:
            return smtplib.SMTP_SSL(
                self._host, self._port, local_hostname=own_name, timeout=_SECONDS, context=self._trust
            )
        server = smtplib.SMTP(self._host, self._port, local_hostname=own_name, timeout=_SECONDS)
        server.starttls(context=self._trust)
        return server

    def deliver(self, message: EmailMessage) -> None:
        """Hand it over; where the answer was lost it may arrive twice under the same ``Message-ID``."""
        if self._host not in way_out.LOOPBACK:
            gate.require(self._host, carries=(categories.ADDRESSES,), cannot_wait=True, routine=True)
        try:
            with self._connected() as server:
                if self._user:
                    server.login(self._user, Path(self._password_file).read_text(encoding="utf-8").strip())
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise MailNotSent(_LATER) from error


class SesMailer:
    """Hands each mail to Amazon SES in a region of the European Union."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def deliver(self, message: EmailMessage) -> None:
        """Hand it over. SES gives every mail an id of its own, so a mail handed over twice arrives twice."""
        from headshotly.vendors import aws  # noqa: PLC0415 - boto3 is slow to import

        try:
            self._client.send_email(
                Destination={"ToAddresses": [str(message["To"])]}, Content={"Raw": {"Data": message.as_bytes()}}
            )
        except (aws.BotoCoreError, aws.ClientError) as error:
            raise MailNotSent(_LATER) from error


def _mailer() -> Mailer:
    """Return the way of this installation (option ``mail.way``: folder, smtp or ses).

    Options: ``mail.smtp.host``, ``mail.smtp.port``, ``mail.smtp.user``, ``mail.smtp.password_file``;
    ``mail.ses.region``, ``mail.ses.endpoint``.

    Raises:
        ValueError: there is no such way, or a folder shall stand for everybody's mailbox in production.
    """
    here = configuration.current()
    options = here.options
    match options.get("mail.way", "folder"):
        case "folder" if here.environment != "production":
            return FolderMailer(here.mail_folder)
        case "smtp":
            return SmtpMailer(
                host=options["mail.smtp.host"],
                port=int(options.get("mail.smtp.port", "587")),
                user=options.get("mail.smtp.user", ""),
                password_file=options.get("mail.smtp.password_file", ""),
            )
        case "ses":
            from headshotly.vendors import aws  # noqa: PLC0415 - boto3 is slow to import

            region = options.get("mail.ses.region", "eu-central-1")
            return SesMailer(aws.client("sesv2", region=region, endpoint=options.get("mail.ses.endpoint", "")))
        case other:
            raise ValueError(f"mail cannot leave by “{other}” here; choose smtp or ses, or folder outside production")


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
