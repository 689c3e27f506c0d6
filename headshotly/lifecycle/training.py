"""Trainings in secure coding: who, which course, when, until when (clause 4.1.b).

What bites is in ``access.personnel``: without a current training nothing is granted. The courses here are its only
source: it counts until the last of them expires.
"""

import datetime as dt
import re
from dataclasses import dataclass

from django.db import transaction

from headshotly.access import members, personnel
from headshotly.access.models import StaffMember
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.lifecycle.errors import Incomplete
from headshotly.lifecycle.models import TrainingRecord
from headshotly.lifecycle.services import by_staff
from headshotly.policy import clock, dates
from headshotly.policy.enforcement import enforces

_SHA256 = re.compile(r"(?:[0-9a-f]{64})?")


@enforces("4.1.b")
def record(
    *,
    actor: Actor,
    member: StaffMember,
    course: str,
    provider: str,
    passed_on: dt.date,
    expires_on: dt.date,
    certificate_sha256: str = "",
) -> TrainingRecord:
    """Record a course somebody passed; the people check of access counts from the same moment, in the same transaction.

    Args:
        actor: who records it; not the member.
        member: who passed.
        course: its title.
        provider: who taught it.
        passed_on: when.
        expires_on: from this day on it no longer counts.
        certificate_sha256: hash of the certificate, in hex; the paper itself is not kept.

    Raises:
        Incomplete: a part is missing.
        RecordRefused: the dates make no sense, or it is one's own record.
    """
    by, digest = by_staff(actor), certificate_sha256.strip().lower()
    if not (0 < len(course.strip()) <= 160 and 0 < len(provider.strip()) <= 120):  # noqa: PLR2004 - the columns' lengths
        raise Incomplete("Please name the course and who taught it.")
    if not _SHA256.fullmatch(digest):
        raise Incomplete("The certificate is named by its SHA-256: 64 hex digits, or nothing.")
    with transaction.atomic():
        personnel.record_training(actor=actor, member=member, passed_on=passed_on, expires_on=expires_on)
        made = TrainingRecord.objects.create(
            member=member,
            course=course.strip(),
            provider=provider.strip(),
            certificate_sha256=digest,
            passed_on=passed_on,
            expires_on=expires_on,
            recorded_by=by,
            recorded_at=clock.now(),
        )
        _count_longest(actor, made)
        audit.record(actor=actor, act=Act.TRAINING_RECORDED, subject=member.id, purpose=str(made.id))
    return made


def _count_longest(actor: Actor, made: TrainingRecord) -> None:
    """Let the gate count the course that lasts longest: an older one that is entered late takes nothing away."""
    longest = TrainingRecord.objects.filter(member=made.member).order_by("-expires_on", "-passed_on").first()
    if longest is not None and longest.expires_on > made.expires_on:
        days = {"passed_on": longest.passed_on, "expires_on": longest.expires_on}
        personnel.record_training(actor=actor, member=made.member, **days)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one member stands.

    Attributes:
        member: who.
        until: until when their training counts; None where there is none.
        current: it counts today.
        records: the courses recorded, newest first.
    """

    member: StaffMember
    until: dt.date | None
    current: bool
    records: list[TrainingRecord]


def standings() -> list[Standing]:
    """Return every active member, those without a current training first."""
    courses: dict[object, list[TrainingRecord]] = {}
    for one in TrainingRecord.objects.order_by("-passed_on", "-recorded_at"):
        courses.setdefault(one.member_id, []).append(one)
    found = []
    for member in members.everybody():
        until = personnel.record_of(member).training_expires_on
        current = until is not None and until > dates.today()
        found.append(Standing(member, until, current, courses.get(member.id, [])))
    return sorted(found, key=lambda one: (one.current, one.member.handle))
