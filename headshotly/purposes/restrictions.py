"""Standing still: restriction (GDPR Art. 18) and objection (Art. 21). What is restricted is stored, nothing more."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.purposes.declarations import activities
from headshotly.purposes.errors import ProcessingRestricted, UnknownActivity
from headshotly.purposes.grounds import RestrictionGround
from headshotly.purposes.models import Restriction
from headshotly.purposes.withdrawal import stop_work


class InForce(NamedTuple):
    """A restriction as its data subject sees it."""

    activity: str
    ground: str
    since: datetime


@enforces("1.2.c")
def restrict(*, actor: Actor, subject: UUID, activity: str, ground: RestrictionGround) -> bool:
    """Let the processing of a subject's data for an activity stand still; work waiting or running ends with it.

    Args:
        actor: who asked, or who decided for them.
        subject: pseudonym of the data subject.
        activity: id of a declared activity.
        ground: why; several may hold at once, each lifted by itself.

    Returns:
        True when it did not stand still for this reason before.

    Raises:
        UnknownActivity: nobody declared the activity.
    """
    if activity not in {one.id for one in activities()}:
        raise UnknownActivity("There is no such processing.")
    with transaction.atomic():
        _, made = Restriction.objects.get_or_create(
            subject=subject, activity=activity, ground=ground, lifted_at=None, defaults={"since": clock.now()}
        )
        if made:
            stop_work(actor=actor, subject=subject, activity=activity)
            audit.record(
                actor=actor, act=Act.PROCESSING_RESTRICTED, subject=subject, purpose=f"{activity}: {ground.value}"
            )
    return made


def resume(*, actor: Actor, subject: UUID, activity: str, ground: RestrictionGround) -> bool:
    """Lift one restriction; others on the same activity stay.

    Returns:
        True when there was one.
    """
    with transaction.atomic():
        changed = Restriction.objects.filter(
            subject=subject, activity=activity, ground=ground, lifted_at__isnull=True
        ).update(lifted_at=clock.now())
        if changed:
            audit.record(
                actor=actor, act=Act.PROCESSING_RESUMED, subject=subject, purpose=f"{activity}: {ground.value}"
            )
    return bool(changed)


def in_force(subject: UUID) -> list[InForce]:
    """Return what stands still for a data subject, oldest first."""
    found = Restriction.objects.filter(subject=subject, lifted_at__isnull=True).order_by("since")
    return [InForce(row.activity, row.ground, row.since) for row in found]


@enforces("1.2.c", "1.1.d")
def require_unrestricted(*, subject: UUID, activity: str) -> None:
    """Pass only while nothing of this activity stands still for this subject.

    Raises:
        ProcessingRestricted: a restriction or an objection is in force.
    """
    if Restriction.objects.filter(subject=subject, activity=activity, lifted_at__isnull=True).exists():
        raise ProcessingRestricted("This processing is stopped at your request. You can lift that on “Your data”.")
