"""What waits for whom: the first thing a member of staff sees."""

from typing import Any

from headshotly.access import grants, members, passkeys, personnel, reviews
from headshotly.access.models import Grant, StaffMember
from headshotly.access.rights import DECIDERS_OF_ACTS, DECIDERS_OF_DATA
from headshotly.audit.selectors import waiting as journal_waiting
from headshotly.policy import clock


def requests_for(member: StaffMember) -> list[Grant]:
    """Return the requests that wait for a decision this member may take."""
    if "grants.decide" not in members.rights_of(member):
        return []
    moment = clock.now()
    open_ = Grant.objects.select_related("member").filter(
        approved_at__isnull=True, refused_at__isnull=True, ended_at__isnull=True
    )
    return [
        grant
        for grant in open_.exclude(member=member).order_by("asked_at")
        if grants.state(grant, moment) is grants.State.ASKED
        and member.role in (DECIDERS_OF_ACTS if grant.scope.startswith("act:") else DECIDERS_OF_DATA)
    ]


def reviews_glass(member: StaffMember) -> bool:
    """Say whether a member may review somebody else's break-glass."""
    return "glass.review" in members.rights_of(member)


def unreviewed_glass() -> list[Grant]:
    """Return every break-glass that nobody has reviewed; one past its limit is a failure of clause 2.4.c."""
    waiting = Grant.objects.select_related("member").filter(broke_glass=True, reviewed_at__isnull=True)
    return list(waiting.order_by("asked_at"))


def grants_of(member: StaffMember) -> list[tuple[Grant, str]]:
    """Return a member's newest grants, each with where it stands."""
    moment = clock.now()
    return [
        (grant, grants.state(grant, moment).value)
        for grant in Grant.objects.filter(member=member).order_by("-asked_at")[:50]
    ]


def history() -> list[tuple[Grant, str]]:
    """Return everybody's newest grants, each with where it stands."""
    moment = clock.now()
    newest = Grant.objects.select_related("member", "decided_by", "reviewed_by").order_by("-asked_at")[:200]
    return [(grant, grants.state(grant, moment).value) for grant in newest]


def people_with_gaps() -> list[tuple[StaffMember, tuple[str, ...]]]:
    """Return every member whose personnel record has a gap, with the gaps."""
    found = ((member, personnel.gaps(member)) for member in members.everybody())
    return [(member, missing) for member, missing in found if missing]


def of(member: StaffMember) -> dict[str, Any]:
    """Return what the desk of a member shows."""
    held = members.rights_of(member)
    due = reviews.due_at()
    return {
        "rights": sorted(held),
        "gaps": personnel.gaps(member),
        "passkeys": passkeys.of(member),
        "requests": requests_for(member),
        "glass": unreviewed_glass() if reviews_glass(member) else [],
        "own_grants": grants_of(member)[:5],
        "people": people_with_gaps() if "people.write" in held else [],
        "review_due": due if due is not None and due <= clock.now() and "rights.review" in held else None,
        "waiting": journal_waiting(),
    }
