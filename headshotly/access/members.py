"""Reading members of staff and their rights."""

from uuid import UUID

from headshotly.access import rights
from headshotly.access.errors import NotFound, PermissionMissing
from headshotly.access.models import RightUse, StaffMember, WithheldRight
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces


def current(member: StaffMember) -> StaffMember:
    """Return a member as the database knows them now, not as the request began.

    Raises:
        PermissionMissing: the account was closed meanwhile.
    """
    found = StaffMember.objects.filter(id=member.id, is_active=True).first()
    if found is None:
        raise PermissionMissing("This account is closed.")
    return found


def everybody() -> list[StaffMember]:
    """Return every active member, by handle."""
    return list(StaffMember.objects.filter(is_active=True).order_by("handle"))


def by_id(member_id: UUID) -> StaffMember:
    """Return an active member.

    Raises:
        NotFound: there is none.
    """
    found = StaffMember.objects.filter(id=member_id, is_active=True).first()
    if found is None:
        raise NotFound("There is no such member of staff.")
    return found


def rights_of(member: StaffMember) -> frozenset[str]:
    """Return the rights of a member's role, less those a review took away."""
    withheld = WithheldRight.objects.filter(member=member).values_list("right", flat=True)
    return rights.of_role(member.role) - frozenset(withheld)


@enforces("2.4.a")
def require_right(member: StaffMember, right: str) -> None:
    """Pass only a member who has a right, and note that they used it, for the next review.

    Raises:
        PermissionMissing: they do not have it, or nobody has.
    """
    if right not in rights_of(member):
        raise PermissionMissing("Your role does not include this.")
    RightUse.objects.update_or_create(member=member, right=right, defaults={"last_used_at": clock.now()})
