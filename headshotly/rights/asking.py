"""How requests come in: from customers, from people without an account, from agents; and what happens at once."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from headshotly.audit.actor import VISITOR, Actor
from headshotly.policy.enforcement import enforces
from headshotly.purposes import restrictions
from headshotly.purposes.declarations import LegalBasis, activity
from headshotly.purposes.grounds import RestrictionGround
from headshotly.purposes.notices import about_customers, line_of
from headshotly.purposes.services import withdraw_consent
from headshotly.rights import services
from headshotly.rights.errors import Incomplete, NotFound
from headshotly.rights.models import RightsRequest
from headshotly.rights.services import Received, Words
from headshotly.rights.states import Channel, Kind, Regime

IN_WORDS = frozenset({Kind.CORRECT, Kind.KNOW, Kind.DELETE, Kind.RESTRICT, Kind.OBJECT})
BY_STRANGERS = frozenset(Kind) - {Kind.APPEAL}
# What customers can stop themselves; the others keep the account safe or are asked of us by law.
_STOPPABLE = frozenset({LegalBasis.CONSENT, LegalBasis.EXPLICIT_CONSENT, LegalBasis.LEGITIMATE_INTEREST})


def processing_of(subject: UUID) -> list[dict[str, Any]]:
    """Return what a customer may restrict or object to, and what stands still already."""
    still = restrictions.in_force(subject)
    return [
        {
            "id": one.id,
            "line": line_of(one),
            "still": [entry for entry in still if entry.activity == one.id],
            "by_consent": one.basis in {LegalBasis.CONSENT, LegalBasis.EXPLICIT_CONSENT},
        }
        for one in about_customers()
        if one.basis in _STOPPABLE
    ]


@enforces("1.2.c")
def change_processing(
    *, actor: Actor, subject: UUID, activity: str, what: str, why: str = "", regime: Regime = Regime.EITHER
) -> RightsRequest:
    """Restrict a processing, object to it, or lift both, at once; an objection also waits for the DPO's judgement.

    While an objection is judged the processing stands still (GDPR Art. 18(1)(d)). What rests on consent needs no
    judgement: objecting to it takes the consent back.

    Raises:
        Incomplete: it is none of these, or nothing the customer can stop.
    """
    known = {one["id"]: one for one in processing_of(subject)}
    if activity not in known or what not in {"restrict", "object", "resume"}:
        raise Incomplete("Please choose one of the buttons.")
    kind = Kind.OBJECT if what == "object" else Kind.RESTRICT
    with transaction.atomic():
        received = services.receive(
            actor=actor,
            kind=kind,
            regime=regime,
            channel=Channel.ACCOUNT,
            words=Words(text=f"{what}: {activity}. {why}".strip()),
            subject=subject,
        )
        reply = _apply(actor, subject, activity, what, by_consent=known[activity]["by_consent"])
        if reply:
            return services.answer(actor=actor, request_id=received.request.id, reply=reply)
    return received.request


def _apply(actor: Actor, subject: UUID, activity_id: str, what: str, *, by_consent: bool) -> str:
    """Do what was asked; return the answer, or nothing where the DPO must judge first."""
    title = {"title": _(activity(activity_id).title)}
    if what == "resume":
        for ground in (RestrictionGround.CUSTOMER, RestrictionGround.OBJECTION):
            restrictions.resume(actor=actor, subject=subject, activity=activity_id, ground=ground)
        return _("“%(title)s” may go on.") % title
    if what == "restrict":
        restrictions.restrict(actor=actor, subject=subject, activity=activity_id, ground=RestrictionGround.CUSTOMER)
        return _("“%(title)s” stands still. What is stored stays stored, and nothing else is done with it.") % title
    if by_consent:
        withdraw_consent(actor=actor, subject=subject, activity=activity_id)
        return _("Your consent to “%(title)s” is taken back.") % title
    restrictions.restrict(actor=actor, subject=subject, activity=activity_id, ground=RestrictionGround.OBJECTION)
    return ""


def by_customer(*, actor: Actor, subject: UUID, kind: Kind, regime: Regime, text: str) -> RightsRequest:
    """Take in a customer's request in their own words.

    Raises:
        Incomplete: there are no words.
    """
    if not text:
        raise Incomplete("Please write in a sentence what you ask for.")
    received = services.receive(
        actor=actor, kind=kind, regime=regime, channel=Channel.ACCOUNT, words=Words(text=text), subject=subject
    )
    return received.request


@enforces("1.2.c")
def by_stranger(*, kind: Kind, regime: Regime, words: Words) -> Received:
    """Take in a request of somebody without an account, or of an agent who names the person they act for.

    Raises:
        Incomplete: there are no words or no address, or an agent shows no permission.
    """
    if not words.text and kind not in {Kind.OPT_OUT, Kind.LIMIT}:
        raise Incomplete("Please write in a sentence what you ask for.")
    if "@" not in words.email:
        raise Incomplete("Please give an e-mail address that we can answer to.")
    if words.agent and not words.permission:
        raise Incomplete("Please say how the person gave you permission; we ask them to confirm it.")
    channel = Channel.AGENT if words.agent else Channel.FORM
    with transaction.atomic():
        received = services.receive(actor=VISITOR, kind=kind, regime=regime, channel=channel, words=words)
        if kind in {Kind.OPT_OUT, Kind.LIMIT}:
            # Nobody's data is sold or shared, so there is nothing left to do and nothing to prove.
            services.answer(
                actor=VISITOR,
                request_id=received.request.id,
                reply=_("Recorded. We sell and share nobody's data and use sensitive data for nothing else."),
            )
    return received


def request_of(subject: UUID, request_id: UUID) -> RightsRequest:
    """Return one of a person's requests.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    found = RightsRequest.objects.filter(id=request_id, subject=subject).first()
    if found is None:
        raise NotFound("There is no such request.")
    return found
