"""Mails about requests: that they came, were extended, answered or refused, and where to complain."""

import datetime as dt
import logging
from uuid import UUID

from headshotly.access.warrants import service_warrant
from headshotly.accounts import selectors as accounts
from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
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
        f"the supervisory authority: {AUTHORITY}",
        "a court in the country where you live or where we are established (GDPR Art. 79)",
    ]
    california = [
        f"the {CALIFORNIA_AUTHORITY}",
        "the Attorney General of California, oag.ca.gov/contact/consumer-complaint-against-business-or-company",
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
        _log.warning("a notice about request %s was not sent: %s", request.reference, refusal.code)
        return False
    return True


def tell_received(request: RightsRequest, *, token: str = "") -> bool:
    """Confirm receipt, and say what happens next (11 CCR 7021(a)); a stranger's link is in it.

    Returns:
        Whether the mail was handed over.
    """
    what = Kind(request.kind).label.lower()
    came = (
        f"Your request {request.reference} ({what}) reached us on {request.received_at:%Y-%m-%d}. "
        f"You have our answer by {request.answer_by:%Y-%m-%d}."
    )
    lines = [came]
    if token:
        lines.append(
            "Please open this link to confirm that this address is yours; you can follow the request there:\n"
            + _url(f"/privacy/requests/{token}/")
        )
    else:
        lines.append(f"Follow it here: {_url('/your-data/')}")
    return _send(request, subject=f"We have your request {request.reference}", text="\n\n".join(lines))


@enforces("1.2.c")
def tell_extended(request: RightsRequest) -> bool:
    """Tell a person that the answer takes longer, and why (GDPR 12(3))."""
    text = (
        f"Your request {request.reference} needs more time: {request.extended_because}\n\n"
        f"You have our answer by {request.longest:%Y-%m-%d}."
    )
    return _send(request, subject=f"Your request {request.reference} takes longer", text=text)


@enforces("1.2.c")
def tell_ended(request: RightsRequest, *, reply: str) -> bool:
    """Tell a person the answer, or the refusal with its reason and where they can complain (GDPR 12(4))."""
    parts = [f"Your request {request.reference}: {Outcome(request.outcome).label.lower()}.", reply]
    if request.ground:
        parts.append(f"The reason: {GROUNDS[request.ground]}.")
    if request.outcome != Outcome.GRANTED:
        routes = "\n".join(f"- {route}" for route in complaint_routes(Regime(request.regime)))
        parts.append(f"If you do not agree, appeal to us, or complain to:\n{routes}")
    return _send(
        request, subject=f"Our answer to your request {request.reference}", text="\n\n".join(filter(None, parts))
    )


def tell_unused(subject: UUID, *, due_at: dt.datetime) -> bool:
    """Tell a customer that their unused account goes, as they chose, unless they sign in and say no."""
    try:
        address = _address_of_customer(subject)
        mail.send(
            to=address,
            subject="Your unused account will be deleted",
            text=f"You chose to have your account deleted when you do not use it. On {due_at:%Y-%m-%d} everything in "
            f"it goes for good. To keep it, sign in and call it off: {_url('/your-data/')}",
            about=subject,
        )
    except Refusal as refusal:
        _log.warning("a notice of an unused account was not sent: %s", refusal.code)
        return False
    return True
