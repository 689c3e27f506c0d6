"""Mails that tell customers what happened to their account."""

import logging
from collections.abc import Mapping

from django.utils.translation import gettext as _

from headshotly.accounts.fields import EMAIL_FIELD
from headshotly.accounts.models import Customer
from headshotly.policy import clock, configuration
from headshotly.policy.refusal import Refusal
from headshotly.policy.wording import moment, speaking, told
from headshotly.vault import services as vault
from headshotly.vault.warrant import Warrant
from headshotly.vendors import mail

_log = logging.getLogger(__name__)


def tell(
    customer: Customer, *, subject: str, what: str, warrant: Warrant, facts: Mapping[str, str] | None = None
) -> None:
    """Mail a customer what was done to their account. A notice that cannot be sent does not undo the act.

    Args:
        customer: whom; the address is opened under the warrant.
        subject: one line, in English; the mail is in the customer's language.
        what: one sentence, in English, with places for the facts.
        warrant: of purpose ``security-notice``.
        facts: what stands in these places.
    """
    try:
        address = vault.open_field(
            subject=customer.id, field=EMAIL_FIELD, sealed=bytes(customer.email_sealed), warrant=warrant
        )
        with speaking(customer.language):
            text = _(
                "%(what)s\n\nWhen: %(when)s\n\n"
                "If this was you, nothing needs doing. If not, choose a new password at once:\n%(reset)s"
            ) % {
                "what": _(what) % {name: told(fact) for name, fact in (facts or {}).items()},
                "when": moment(clock.now()),
                "reset": f"{configuration.current().public_url}/account/reset/",
            }
            mail.send(to=address, subject=_(subject), text=text, about=customer.id)
    except Refusal as refusal:
        _log.warning("account-notice.not-sent", extra={"code": refusal.code})
