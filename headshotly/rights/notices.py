"""Mails about requests: that they came, were extended, answered or refused, and where to complain."""

import datetime as dt
import logging
from uuid import UUID

from django.utils.translation import gettext as _

from headshotly.access.warrants import service_warrant
from headshotly.accounts import selectors as accounts
from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.policy.wording import day, speaking
from headshotly.purposes.notices import AUTHORITY, CALIFORNIA_AUTHORITY
from headshotly.rights import services
from headshotly.rights.models import RightsRequest
from headshotly.rights.states import GROUNDS, Kind, Outcome, Regime
from headshotly.vendors import mail

_PURPOSE = "rights-notice"
_log = logging.getLogger(__name__)


def complaint_routes(regime: Regime) -> list[str]:
    """Return where a person may complain about an answer (GDPR 12(4), 77, 79; Civ. Code 1798.199.45)."""
    europe = [
        _("the supervisory authority: %(authority)s") % {"authority": AUTHORITY},
        _("a court in the country where you live or where we are established (GDPR Art. 79)"),
    ]
    california = [
        _("in California: %(authority)s") % {"authority": CALIFORNIA_AUTHORITY},
        _("the Attorney General of California, %(address)s")
        % {"address": "oag.ca.gov/contact/consumer-complaint-against-business-or-company"},
    ]
    match regime:
        case Regime.GDPR:
            return europe
        case Regime.CALIFORNIA:
            return california
        case _:
            return europe + california


def address_of(request: RightsRequest) -> str:
    """Return where to write to a person; the opening is journalled. Empty where there is no way any more."""
    warrant = service_warrant(subject=request.subject, purpose=_PURPOSE)
    if not request.has_account:
        return services.read_words(request=request, warrant=warrant).email if request.words else ""
    return _address_of_customer(request.subject)


def _address_of_customer(subject: UUID) -> str:
    found = accounts.customer(subject)
    if found is None:
        return ""
    return accounts.profile(found, warrant=service_warrant(subject=subject, purpose=_PURPOSE)).email


def _url(path: str) -> str:
    return f"{configuration.current().public_url}{path}"


def _language_of(request: RightsRequest) -> str:
    """Return the language a person is written to in: their account's, or the one their request was made in."""
    return accounts.language_of(request.subject) or request.language


def _send(request: RightsRequest, *, subject: str, text: str) -> bool:
    """Mail a person; a mail that cannot be sent does not undo the act, and the page says the same.

    Returns:
        Whether it was handed over.
    """
    try:
        address = address_of(request)
        if not address:
            return False
        mail.send(to=address, subject=subject, text=text, about=request.subject)
    except Refusal as refusal:
        _log.warning("request-notice.not-sent", extra={"reference": request.reference, "code": refusal.code})
        return False
    return True


def tell_received(request: RightsRequest, *, token: str = "") -> bool:
    """Confirm receipt, and say what happens next (11 CCR 7021(a)); a stranger's link is in it.

    Returns:
        Whether the mail was handed over.
    """
    with speaking(_language_of(request)):
        came = _(
            "Your request %(reference)s (%(what)s) reached us on %(received)s. You have our answer by %(last)s."
        ) % {
            "reference": request.reference,
            "what": _(Kind(request.kind).label).lower(),
            "received": day(request.received_at),
            "last": day(request.answer_by),
        }
        if token:
            follow = _(
                "Please open this link to confirm that this address is yours; "
                "you can follow the request there:\n%(link)s"
            ) % {"link": _url(f"/privacy/requests/{token}/")}
        else:
            follow = _("Follow it here: %(link)s") % {"link": _url("/your-data/")}
        subject = _("We have your request %(reference)s") % {"reference": request.reference}
        return _send(request, subject=subject, text=f"{came}\n\n{follow}")


@enforces("1.2.c")
def tell_extended(request: RightsRequest) -> bool:
    """Tell a person that the answer takes longer, and why (GDPR 12(3))."""
    with speaking(_language_of(request)):
        text = _("Your request %(reference)s needs more time: %(because)s\n\nYou have our answer by %(last)s.") % {
            "reference": request.reference,
            "because": request.extended_because,
            "last": day(request.longest),
        }
        subject = _("Your request %(reference)s takes longer") % {"reference": request.reference}
        return _send(request, subject=subject, text=text)


@enforces("1.2.c")
def tell_ended(request: RightsRequest, *, reply: str) -> bool:
    """Tell a person the answer, or the refusal with its reason and where they can complain (GDPR 12(4))."""
    with speaking(_language_of(request)):
        outcome = _(Outcome(request.outcome).label).lower()
        parts = [f"{_('Your request')} {request.reference}: {outcome}.", reply]
        if request.ground:
            parts.append(f"{_('The reason:')} {_(GROUNDS[request.ground])}.")
        if request.outcome != Outcome.GRANTED:
            routes = "\n".join(f"- {route}" for route in complaint_routes(Regime(request.regime)))
            parts.append(f"{_('If you do not agree, appeal to us, or complain to:')}\n{routes}")
        subject = _("Our answer to your request %(reference)s") % {"reference": request.reference}
        return _send(request, subject=subject, text="\n\n".join(filter(None, parts)))


def tell_unused(subject: UUID, *, due_at: dt.datetime) -> bool:
    """Tell a customer that their unused account goes, as they chose, unless they sign in and say no."""
    try:
        address = _address_of_customer(subject)
        with speaking(accounts.language_of(subject)):
            text = _(
                "You chose to have your account deleted when you do not use it. On %(day)s everything in it goes for "
                "good. To keep it, sign in and call it off: %(link)s"
            ) % {"day": day(due_at), "link": _url("/your-data/")}
            mail.send(to=address, subject=_("Your unused account will be deleted"), text=text, about=subject)
    except Refusal as refusal:
        _log.warning("unused-account-notice.not-sent", extra={"code": refusal.code})
        return False
    return True
