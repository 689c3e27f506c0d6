"""What checks read of this room: sessions, grants and people as they stand, never anybody's data."""

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from django.db.models import F, Q

from headshotly.access import grants, personnel
from headshotly.access.models import Grant, StaffMember, StaffPasskey, StaffSession
from headshotly.policy import clock


def sessions() -> list[StaffSession]:
    """Return every staff session that has not run out."""
    return list(StaffSession.objects.select_related("member").filter(expires_at__gt=clock.now()))


def without_factor(among: Iterable[StaffSession]) -> list[StaffSession]:
    """Return the sessions whose member has no second factor or never enrolled."""
    with_passkey = set(StaffPasskey.objects.values_list("member_id", flat=True))
    return [
        one
        for one in among
        if one.member.enrolled_at is None or not (bytes(one.member.totp_sealed) or one.member_id in with_passkey)
    ]


def seated(role: str) -> list[StaffMember]:
    """Return the active, enrolled members of a role."""
    return list(StaffMember.objects.filter(role=role, is_active=True, enrolled_at__isnull=False).order_by("handle"))


def enrolled() -> int:
    """Return how many active members have enrolled a second factor."""
    return StaffMember.objects.filter(is_active=True, enrolled_at__isnull=False).count()


def sessions_of_probe(member: StaffMember, token_sha256: bytes, now: dt.datetime, until: dt.datetime) -> StaffSession:
    """Make a session for a made-up member, to see that it counts for nothing; the caller takes it back."""
    return StaffSession.objects.create(
        token_sha256=token_sha256, member=member, started_at=now, seen_at=now, proved_at=now, expires_at=until
    )


def live_grants() -> list[Grant]:
    """Return the grants that open something now or will, each with its member."""
    moment = clock.now()
    wanted = {grants.State.LIVE, grants.State.SCHEDULED}
    rows = Grant.objects.select_related("member").filter(approved_at__isnull=False, ended_at__isnull=True)
    return [one for one in rows.filter(expires_at__gt=moment) if grants.state(one, moment) in wanted]


def approved_grants() -> int:
    """Return how many grants were ever approved."""
    return Grant.objects.filter(approved_at__isnull=False).count()


def improper_grants() -> list[Grant]:
    """Return approved grants without an end, longer than allowed, approved by their own member, or by nobody."""
    rows = Grant.objects.filter(approved_at__isnull=False).filter(
        Q(expires_at__isnull=True)
        | Q(begins_at__isnull=True)
        | Q(decided_by=F("member"))
        | Q(decided_by__isnull=True, broke_glass=False)
        | Q(minutes__gt=grants.MINUTES_MAX)
        | Q(broke_glass=True, minutes__gt=grants.GLASS_MINUTES)
    )
    found = list(rows)
    timed = Grant.objects.filter(approved_at__isnull=False, begins_at__isnull=False, expires_at__isnull=False)
    too_long = [one for one in timed if _lasts(one) > one.minutes * 60]
    return [*found, *(one for one in too_long if one not in found)]


def _lasts(grant: Grant) -> float:
    """Return a grant's length in seconds."""
    return (grant.expires_at - grant.begins_at).total_seconds() if grant.expires_at and grant.begins_at else 0.0


def overdue_glass() -> list[Grant]:
    """Return every break-glass that nobody reviewed in time."""
    before = clock.now() - grants.GLASS_REVIEW_WITHIN
    return list(Grant.objects.filter(broke_glass=True, reviewed_at__isnull=True, asked_at__lt=before))


def grant(grant_id: UUID) -> Grant | None:
    """Return one grant."""
    return Grant.objects.filter(id=grant_id).first()


def gaps_named(member: StaffMember, word: str) -> tuple[str, ...]:
    """Return the gaps in a member's personnel record that concern one thing, such as ``training``."""
    return tuple(gap for gap in personnel.gaps(member) if word in gap)


def stranger() -> StaffMember:
    """Return a member who exists nowhere and has no record, to try a gate with."""
    return StaffMember(handle="nobody", role="support", created_at=clock.now(), enrolled_at=clock.now())
