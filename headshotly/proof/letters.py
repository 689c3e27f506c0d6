"""Mails about reports of weaknesses: to whoever sent one, and to our own security address."""

import logging
from uuid import NAMESPACE_URL, uuid5

from headshotly.accounts import patience
from headshotly.policy import configuration, dates
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.proof.models import WeaknessReport
from headshotly.proof.reporting import Words
from headshotly.proof.waiting import running_out
from headshotly.vendors import mail

RECEIPTS_A_DAY = 3  # to one address: anybody may put another's address into a form or a mail
_log = logging.getLogger(__name__)

_RECEIPT = """Thank you. Your report has reached us; we call it {reference}.

This answer was written by a program. A person will read your report and write to you by {by}.
Until then: what you found stays between us. If you acted in good faith we do not pursue you;
the rules and our promise stand here: {url}/trust/reporting/

--

Dziękujemy. Zgłoszenie dotarło do nas pod numerem {reference}.
Tę odpowiedź napisał program. Człowiek odpisze najpóźniej {by}. Zasady: {url}/trust/reporting/
"""


def _send(report: WeaknessReport, *, to: str, subject: str, text: str, what: str) -> bool:
    """Mail somebody; a mail that cannot be sent does not undo the act, and the page says the same."""
    try:
        mail.send(
            to=to, subject=subject, text=text, about=report.subject, once=uuid5(NAMESPACE_URL, f"{report.id}:{what}")
        )
    except Refusal as refusal:
        _log.warning("report-mail.not-sent", extra={"reference": report.reference, "code": refusal.code})
        return False
    return True


@enforces("10.3")
def tell_received(report: WeaknessReport, words: Words) -> bool:
    """Tell a reporter at once that their report came; at most three a day to one address.

    Returns:
        Whether it was handed over.
    """
    counted = patience.key("weakness-receipt", words.email.lower())
    if not words.email or not patience.within(counted, most=RECEIPTS_A_DAY, window=patience.FORGOTTEN_AFTER):
        return False
    here = configuration.current()
    return _send(
        report,
        to=words.email,
        subject=f"We have your report {report.reference}",
        text=_RECEIPT.format(
            reference=report.reference, by=f"{report.acknowledge_by:%Y-%m-%d %H:%M} UTC", url=here.public_url
        ),
        what="receipt",
    )


def tell_security(report: WeaknessReport) -> bool:
    """Tell our security address that a report waits; nothing of what it says."""
    here = configuration.current()
    return _send(
        report,
        to=here.operator.security_email,
        subject=f"A weakness was reported: {report.reference}",
        text=f"It came by {report.channel} and must be acknowledged by {report.acknowledge_by:%Y-%m-%d %H:%M} UTC.\n\n"
        f"{here.public_url}/staff/weaknesses/{report.id}/",
        what="security",
    )


def answer(report: WeaknessReport, words: Words, *, reply: str, what: str) -> bool:
    """Send a reporter what a person wrote to them.

    Args:
        report: which.
        words: what they wrote, for their address.
        reply: the answer.
        what: which step it belongs to, so that repeating the step sends it once.
    """
    if not words.email or not reply.strip():
        return False
    return _send(report, to=words.email, subject=f"Your report {report.reference}", text=reply, what=what)


def remind() -> int:
    """Tell our security address once a day which reports must be acknowledged within a day, or should have been.

    Returns:
        How many were named.

    Raises:
        MailNotSent: nothing is marked, and the next run tries again.
    """
    today = dates.today()
    due = [one for one in running_out() if one.reminded_on != today]
    if not due:
        return 0
    here = configuration.current()
    lines = [f"{one.reference}  by {one.acknowledge_by:%Y-%m-%d %H:%M} UTC" for one in due]
    mail.send(
        to=here.operator.security_email,
        subject=f"{len(due)} reports wait for acknowledgement",
        text="\n".join(lines) + f"\n\n{here.public_url}/staff/weaknesses/",
        about=None,
    )
    # A crash before this line sends the same mail again, which is the safe direction.
    WeaknessReport.objects.filter(id__in=[one.id for one in due]).update(reminded_on=today)
    return len(due)
