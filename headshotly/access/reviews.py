"""Reviews of access: every 90 days somebody looks at every right, and unused ones are taken away (clause 2.4.a)."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from headshotly.access import members
from headshotly.access.errors import GrantRefused
from headshotly.access.models import AccessReview, Grant, RightUse, StaffMember, WithheldRight
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

EVERY = dt.timedelta(days=90)
REASON_MIN = 10  # characters


@dataclass(frozen=True, slots=True)
class Unused:
    """A right nobody would miss.

    Attributes:
        key: ``member-id:right``, as the form sends it back.
        last_used_at: None where it was never used.
    """

    key: str
    handle: str
    right: str
    last_used_at: dt.datetime | None


def unused() -> list[Unused]:
    """Return every right that its holder had for a whole period and did not use in it."""
    since = clock.now() - EVERY
    used = {(use.member_id, use.right): use.last_used_at for use in RightUse.objects.all()}
    return [
        Unused(f"{member.id}:{right}", member.handle, right, used.get((member.id, right)))
        for member in members.everybody()
        if member.created_at < since
        for right in sorted(members.rights_of(member))
        if (used.get((member.id, right)) or since) <= since
    ]


def due_at() -> dt.datetime | None:
    """Return when the next review is due, None where nobody has been here long enough to review."""
    last = AccessReview.objects.order_by("-recorded_at").first()
    first = StaffMember.objects.order_by("created_at").first()
    start = last.recorded_at if last else (first.created_at if first else None)
    return start + EVERY if start else None


@enforces("2.4.a")
def record(*, reviewer: StaffMember, kept: dict[str, str]) -> AccessReview:
    """Record a review. Unused rights go, except those kept for a reason.

    Args:
        reviewer: who looked.
        kept: reason by ``Unused.key``; an empty reason keeps nothing.

    Raises:
        GrantRefused: somebody keeps a right for themselves.
    """
    found = unused()
    keeping = {one.key: kept[one.key].strip()[:200] for one in found if kept.get(one.key, "").strip()}
    if any(key.startswith(f"{reviewer.id}:") for key in keeping):
        raise GrantRefused("Nobody keeps an unused right for themselves; somebody else must review it.")
    moment = clock.now()
    taken = [one for one in found if one.key not in keeping]
    outcome = {
        "members": len(members.everybody()),
        "taken": [[one.handle, one.right] for one in taken],
        "kept": [[one.handle, one.right, keeping[one.key]] for one in found if one.key in keeping],
        "grants_since": Grant.objects.filter(asked_at__gte=moment - EVERY).count(),
    }
    actor = Actor(kind="staff", id=reviewer.id, role=reviewer.role)
    with transaction.atomic():
        for one in taken:
            member_id = UUID(one.key.partition(":")[0])
            WithheldRight.objects.get_or_create(member_id=member_id, right=one.right, defaults={"since": moment})
            audit.record(actor=actor, act=Act.RIGHT_WITHHELD, purpose=f"{one.handle} {one.right}")
        review = AccessReview.objects.create(reviewer=reviewer, recorded_at=moment, outcome=outcome)
        audit.record(actor=actor, act=Act.ACCESS_REVIEWED, purpose=str(review.id))
    return review


@enforces("2.4.a")
def give_back(*, giver: StaffMember, key: str, reason: str) -> None:
    """Give a member a right back that a review took; somebody else decides, with a reason.

    Args:
        giver: who decides.
        key: ``Unused.key``.
        reason: why it is needed after all.

    Raises:
        GrantRefused: it is one's own, there is no reason, or nothing was taken.
    """
    member_id, _colon, right = key.partition(":")
    taken = WithheldRight.objects.select_related("member").filter(member_id=_uuid(member_id), right=right)
    with transaction.atomic():
        found = taken.select_for_update().first()
        if found is None or found.member_id == giver.id or len(reason.strip()) < REASON_MIN:
            raise GrantRefused("Somebody else gives back a right that a review took, and says why.")
        found.delete()
        # A right that was just given back is not unused.
        RightUse.objects.update_or_create(member=found.member, right=right, defaults={"last_used_at": clock.now()})
        audit.record(
            actor=Actor(kind="staff", id=giver.id, role=giver.role),
            act=Act.RIGHT_RETURNED,
            purpose=f"{found.member.handle} {right}: {reason.strip()[:200]}",
        )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)  # nobody's


def withheld() -> list[tuple[str, WithheldRight]]:
    """Return every right that a review took from an active member, with its ``Unused.key``."""
    found = WithheldRight.objects.select_related("member").filter(member__is_active=True).order_by("member__handle")
    return [(f"{one.member_id}:{one.right}", one) for one in found]


def history() -> list[AccessReview]:
    """Return every review, newest first."""
    return list(AccessReview.objects.select_related("reviewer").order_by("-recorded_at"))
