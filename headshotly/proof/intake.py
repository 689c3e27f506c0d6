"""From the security mailbox to reports (clause 10.3).

Each mail is recorded, then put aside, then answered. Crash before it is put aside: it is taken again, and its hash says
that it is recorded. Crash before the answer: no automatic answer goes, and the clock for a person's still runs.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from headshotly.audit.actor import VISITOR
from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.proof import letters, mailbox, reporting
from headshotly.proof.errors import UnreadableMail
from headshotly.proof.mail_reading import ReadMail, read
from headshotly.proof.mailbox import Delivered, Mailbox
from headshotly.proof.reporting import Words
from headshotly.proof.weakness_states import Channel

AT_ONCE = 200  # mails a run; a flood takes several runs and delays nothing else
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collected:
    """What one run did.

    Attributes:
        recorded: mails that are reports now.
        answered: of these answered at once.
        failed: left in the mailbox, to be tried again.
    """

    recorded: int
    answered: int
    failed: int


def folder() -> Path:
    """Return the security mailbox; option ``disclosure.mailbox`` names another folder."""
    here = configuration.current()
    return Path(here.options.get("disclosure.mailbox") or here.mail_folder / "security")


@enforces("10.3")
def collect(source: Mailbox | None = None) -> Collected:
    """Make a report of every mail that waits; what cannot be read becomes one too, for a person to look at.

    Args:
        source: the mailbox; the configured one where None.
    """
    box = source or mailbox.at(folder())
    recorded = answered = failed = 0
    for number, mail in enumerate(box.waiting()):
        if number == AT_ONCE:
            break
        try:
            answered += _take(box, mail)
            recorded += 1
        except (Refusal, OSError) as error:
            # The mail stays where it is. What the error says may quote it, so only its kind is logged.
            _log.warning("security-mail.waits", extra={"error": type(error).__name__})
            failed += 1
    return Collected(recorded, answered, failed)


def _take(box: Mailbox, mail: Delivered) -> bool:
    """Record one mail and put it aside; return whether it was answered."""
    own = configuration.current().operator.security_email
    automatic = True  # nobody answers what nobody could read
    try:
        found = read(mail.raw, own_address=own)
        words, automatic = _words(found), found.automatic
    except UnreadableMail as refusal:
        words = Words(text=f"{refusal.sentence} Please look at the mail itself.")
    made = reporting.receive(actor=VISITOR, channel=Channel.MAIL, words=words, raw=mail.raw or b"(empty)")
    box.done(mail)
    letters.tell_security(made)
    return not automatic and letters.tell_received(made, words)


def _words(mail: ReadMail) -> Words:
    return Words(
        text=mail.text or "(The mail holds no words; please look at the mail itself.)",
        name=mail.name[: reporting.LONGEST_LINE],
        email=mail.sender,
        subject=mail.subject,
        attachments=mail.attachments,
        encrypted=mail.encrypted,
    )
