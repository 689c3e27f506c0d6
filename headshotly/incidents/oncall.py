"""Who is on call for which duty, and how they are reached (clause 8.1: roles in an incident)."""

import datetime as dt
from typing import Any, cast
from uuid import UUID

from django.db import transaction

from headshotly.access import members
from headshotly.access.errors import NotFound as NoSuchMember
from headshotly.access.warrants import service_warrant
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.incidents.errors import Incomplete
from headshotly.incidents.escalation import Duty
from headshotly.incidents.models import Contact, Shift
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.vault.fields import Sealed

LONGEST = dt.timedelta(days=31)
_MAILBOX_MAX = 254


@enforces("8.1.a-b")
def assign(*, actor: Actor, duty: Duty, holder: UUID, begins_at: dt.datetime, ends_at: dt.datetime) -> Shift:
    """Put a member on call.

    Args:
        actor: who decides.
        duty: for what.
        holder: a member whose role works on cases.
        begins_at: aware UTC.
        ends_at: aware UTC, at most a month later and not past.

    Raises:
        Incomplete: the times make no sense, or the member's role does not work on cases.
        NotFound: there is no such member.
    """
    if not begins_at < ends_at <= begins_at + LONGEST or ends_at <= clock.now():
        raise Incomplete("A shift ends after it begins, within a month, and not in the past.")
    if "incidents.write" not in members.rights_of(members.by_id(holder)):
        raise Incomplete("Only somebody whose role works on cases can be on call.")
    with transaction.atomic():
        shift = Shift.objects.create(
            duty=duty, holder=holder, begins_at=begins_at, ends_at=ends_at, assigned_by=actor.id
        )
        audit.record(actor=actor, act=Act.SHIFT_ASSIGNED, subject=holder, purpose=duty)
    return shift


def remove(*, actor: Actor, shift_id: UUID) -> None:
    """Take a shift off the rota; one that is not there is harmless."""
    with transaction.atomic():
        shift = Shift.objects.filter(id=shift_id).first()
        if shift is not None:
            shift.delete()
            audit.record(actor=actor, act=Act.SHIFT_REMOVED, subject=shift.holder, purpose=shift.duty)


def holder(duty: Duty, at: dt.datetime) -> UUID | None:
    """Return who is on call, the latest assignment first; nobody whose account was closed meanwhile."""
    found = Shift.objects.filter(duty=duty, begins_at__lte=at, ends_at__gt=at).order_by("-begins_at")
    for member_id in found.values_list("holder", flat=True):
        try:
            return members.by_id(member_id).id
        except NoSuchMember:
            continue
    return None


def rota(*, since: dt.datetime, until: dt.datetime) -> list[Shift]:
    """Return the shifts that touch a time, by duty and beginning."""
    return list(Shift.objects.filter(begins_at__lt=until, ends_at__gt=since).order_by("duty", "begins_at"))


def uncovered(*, at: dt.datetime) -> list[Duty]:
    """Return the duties nobody is on call for at a moment."""
    return [duty for duty in Duty if holder(duty, at) is None]


def set_contact(*, member: UUID, email: str) -> None:
    """Record where a member is reached, sealed under their own key; an empty address removes it.

    Raises:
        Incomplete: it is no address.
        KeyShredded: the member has no key.
    """
    address = email.strip()
    if not address:
        Contact.objects.filter(member=member).delete()
        return
    if "@" not in address.strip("@") or len(address) > _MAILBOX_MAX or any(one in address for one in "\r\n, "):
        raise Incomplete("This does not look like an e-mail address.")
    column: Any = Contact.email  # the stubs know only the base class of its descriptor
    sealed = column.seal(member, address)
    Contact.objects.update_or_create(member=member, defaults={"email": sealed, "changed_at": clock.now()})


def has_contact(member: UUID) -> bool:
    """Say whether a member gave an address of their own."""
    return Contact.objects.filter(member=member).exists()


def mailbox(duty: Duty, member: UUID | None) -> str:
    """Return where a call for a duty goes: the member's own mailbox, else the house's.

    The opening is journalled. A mailbox that cannot be opened falls back to the house's: somebody must be reached.
    """
    operator = configuration.current().operator
    house = operator.privacy_email if duty is Duty.OFFICER else operator.security_email
    found = Contact.objects.filter(member=member).first() if member else None
    if found is None:
        return house
    try:
        sealed = cast("Sealed", found.email)
        return sealed.open(service_warrant(subject=found.member, purpose="on-call"))
    except Refusal:
        return house
