"""Opening a customer's data under a grant: masked until then, journalled with the grant, shown to the customer."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from headshotly.access import grants
from headshotly.access.errors import GrantRefused, NotFound
from headshotly.access.models import Grant, Scope, StaffMember
from headshotly.access.warrants import staff_warrant
from headshotly.accounts import second_factor
from headshotly.accounts import selectors as accounts
from headshotly.audit import selectors as journal
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.policy.enforcement import enforces
from headshotly.vault import selectors as vault_contents
from headshotly.vault import services as vault

MASK = "••••••"
_SHOWN = 50
_HIDDEN = {Act.OBJECT_SEALED, Act.OBJECT_OPENED, Act.FIELD_OPENED, Act.MAIL_SENT, Act.GRANT_USED}


@dataclass(frozen=True, slots=True)
class Masked:
    """What may be known of a customer without a grant: enough to help with an order or a failed job.

    Attributes:
        happened: what the journal knows, newest first: time, act, outcome, and no personal data.
    """

    subject: UUID
    name: str
    email: str
    confirmed: bool
    second_factor: bool
    happened: list[dict[str, dt.datetime | str]]


def find(*, member: StaffMember, email: str) -> UUID:
    """Return the pseudonym of the customer who wrote in from an address; the look-up is journalled.

    Raises:
        NotFound: nobody has this address.
        InputRefused: it is no address.
    """
    found = accounts.customer_by_email(email)
    audit.record(
        actor=Actor(kind="staff", id=member.id, role=member.role),
        act=Act.CUSTOMER_LOOKED_UP,
        subject=found.id if found else None,
        outcome=Outcome.DONE if found else Outcome.REFUSED,
    )
    if found is None:
        raise NotFound("There is no account with this address.")
    return found.id


def masked(subject: UUID) -> Masked:
    """Return a customer as staff sees them without a grant.

    Raises:
        NotFound: there is no such customer.
    """
    found = accounts.customer(subject)
    if found is None:
        raise NotFound("There is no such customer.")
    happened = [
        {"at": entry.leaf.occurred_at, "what": entry.leaf.act.value, "outcome": entry.leaf.outcome.value}
        for entry in journal.entries_of_subject(subject)
        if entry.leaf.act not in _HIDDEN
    ]
    return Masked(
        subject=subject,
        name=MASK,
        email=MASK,
        confirmed=found.confirmed_at is not None,
        second_factor=second_factor.needed(found),
        happened=happened[::-1][:_SHOWN],
    )


@enforces("5.1.a", "5.3.a")
def open_details(*, member: StaffMember, grant_id: UUID) -> accounts.Profile:
    """Return name and address of the customer a grant names.

    Raises:
        GrantRefused: the grant is not live or for something else.
        NotFound: it is not this member's, or the customer has left.
    """
    grant = grants.use(member=member, grant_id=grant_id, scope=Scope.DETAILS)
    found = accounts.customer(grant.subject) if grant.subject else None
    if found is None:
        raise NotFound("There is no such customer any more.")
    return accounts.profile(found, warrant=staff_warrant(grant=grant, member=member))


def openable(*, member: StaffMember, grant: Grant) -> list[UUID]:
    """Return the objects that a member's own grant would open."""
    if grant.member_id != member.id or grant.subject is None or grant.scope == Scope.DETAILS:
        return []
    return vault_contents.objects_of_kind(grant.subject, grant.scope)


@enforces("5.1.a", "5.3.a")
def open_object(*, member: StaffMember, grant_id: UUID, object_id: UUID) -> bytes:
    """Return one picture of the customer and the kind a grant names.

    Raises:
        GrantRefused: the grant is not live, or not for pictures.
        NotFound: it is another's grant, or the object is not of this customer and kind.
    """
    grant = grants.use(member=member, grant_id=grant_id)
    if grant.scope not in {Scope.PHOTO, Scope.HEADSHOT}:
        raise GrantRefused("This grant is for something else.")
    if object_id not in openable(member=member, grant=grant):
        raise NotFound("There is no such picture.")
    return vault.open(object_id=object_id, warrant=staff_warrant(grant=grant, member=member))
