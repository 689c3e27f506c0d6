"""Mails that tell customers what happened to their account."""

import logging

from headshotly.accounts.fields import EMAIL_FIELD
from headshotly.accounts.models import Customer
from headshotly.policy import clock, configuration
from headshotly.policy.refusal import Refusal
from headshotly.vault import services as vault
from headshotly.vault.warrant import Warrant
from headshotly.vendors import mail

_log = logging.getLogger(__name__)


def tell(customer: Customer, *, subject: str, what: str, warrant: Warrant) -> None:
    """Mail a customer what was done to their account. A notice that cannot be sent does not undo the act.

    Args:
        customer: whom; the address is opened under the warrant.
        subject: one line.
        what: one sentence.
        warrant: of purpose ``security-notice``.
    """
    try:
        address = vault.open_field(
            subject=customer.id, field=EMAIL_FIELD, sealed=bytes(customer.email_sealed), warrant=warrant
        )
        mail.send(
            to=address,
            subject=subject,
            text=f"{what}\n\nWhen: {clock.now():%Y-%m-%d %H:%M} UTC\n\n"
            "If this was you, nothing needs doing. If not, choose a new password at once:\n"
            f"{configuration.current().public_url}/account/reset/",
            about=customer.id,
        )
    except Refusal as refusal:
        _log.warning("a notice about %s was not sent: %s", customer.id, refusal.code)
