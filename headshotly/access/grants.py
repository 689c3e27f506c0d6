"""Grants: asked for, decided by somebody else, limited in time, ending by themselves (clauses 2.4.c, 5.1.a).

Nobody has standing access. A grant is looked at afresh on every use: its state, the clock, and the people checks.
"""

import datetime as dt
import re
from collections.abc import Callable
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import F

from headshotly.access import members, personnel, trusted_time
from headshotly.access.errors import GrantRefused, NotFound
from headshotly.access.models import Grant, Purpose, Scope, StaffMember
from headshotly.access.rights import DECIDERS_OF_ACTS, DECIDERS_OF_DATA
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces
from headshotly.vendors import mail

MINUTES_MIN, MINUTES_MAX = 5, 480
GLASS_MINUTES = 30
GLASS_REASON_MIN = 20
START_AHEAD_MAX = dt.timedelta(days=7)
ASK_LAPSES_AFTER = dt.timedelta(days=7)
GLASS_REVIEW_WITHIN = dt.timedelta(hours=72)
_TICKET = re.compile(r"[A-Za-z][A-Za-z0-9]{0,15}-[0-9]{1,10}")


type GlassHook = Callable[[Grant], None]
_GLASS_HOOKS: list[GlassHook] = []


def when_glass_broken(hook: GlassHook) -> None:
    """Have something done for every break-glass, in the transaction that opens it; the front door fills it in."""
    if hook not in _GLASS_HOOKS:
        _GLASS_HOOKS.append(hook)


class State(StrEnum):
    """Where a grant stands."""

    ASKED = "asked"
    LAPSED = "lapsed"
    REFUSED = "refused"
    SCHEDULED = "scheduled"
    LIVE = "live"
    EXPIRED = "expired"
    ENDED = "ended"
    SUSPENDED = "suspended"


def state(grant: Grant, moment: dt.datetime) -> State:
    """Return where a grant stands at a moment."""
    if grant.refused_at is not None:
        return State.REFUSED
    if grant.ended_at is not None:
        return State.ENDED
    if grant.begins_at is None or grant.expires_at is None:
        return State.LAPSED if moment >= grant.asked_at + ASK_LAPSES_AFTER else State.ASKED
    if grant.suspended_at is not None and moment < grant.expires_at:
        return State.SUSPENDED
    if moment < grant.begins_at:
        return State.SCHEDULED
    return State.LIVE if moment < grant.expires_at else State.EXPIRED


def _actor(member: StaffMember) -> Actor:
    return Actor(kind="staff", id=member.id, role=member.role)


def _require_fit(member: StaffMember) -> None:
    missing = personnel.gaps(member)
    if missing:
        raise GrantRefused(f"No grant: {'; '.join(missing)}.")


def _checked(scope: str, subject: UUID | None, purpose: str, ticket: str) -> None:
    if scope not in Scope.values or purpose not in Purpose.values:
        raise GrantRefused("Please choose what to open and why from the lists.")
    if scope.startswith("act:") != (subject is None):
        raise GrantRefused("A grant for data names one customer; a grant for an act in production names none.")
    if not _TICKET.fullmatch(ticket):
        raise GrantRefused("Please name the ticket, such as SUP-1234.")


@enforces("2.4.c", "5.1.a")
def ask(
    *,
    member: StaffMember,
    scope: str,
    subject: UUID | None,
    purpose: str,
    ticket: str,
    minutes: int,
    starts_at: dt.datetime | None = None,
) -> Grant:
    """Ask for a grant.

    Args:
        member: who asks, for themselves.
        scope: one of ``Scope``.
        subject: pseudonym of the one customer, None for an act in production.
        purpose: one of ``Purpose``.
        ticket: such as ``SUP-1234``.
        minutes: how long from its beginning.
        starts_at: when it shall begin; at once after approval where None.

    Raises:
        GrantRefused: a part makes no sense, or the member's personnel record has a gap.
    """
    _checked(scope, subject, purpose, ticket)
    if not MINUTES_MIN <= minutes <= MINUTES_MAX:
        raise GrantRefused(f"A grant lasts {MINUTES_MIN} to {MINUTES_MAX} minutes.")
    moment = trusted_time.now()
    if starts_at is not None and not moment <= starts_at <= moment + START_AHEAD_MAX:
        raise GrantRefused("A grant begins within the next seven days.")
    _require_fit(member)
    with transaction.atomic():
        grant = Grant.objects.create(
            member=member,
            scope=scope,
            subject=subject,
            purpose=purpose,
            ticket=ticket,
            minutes=minutes,
            starts_at=starts_at,
            asked_at=moment,
        )
        _journal(_actor(member), Act.GRANT_ASKED, grant)
    return grant


def _journal(actor: Actor, act: Act, grant: Grant, outcome: Outcome = Outcome.DONE) -> None:
    purpose = f"grant {grant.id} {grant.scope} {grant.purpose}"
    audit.record(actor=actor, act=act, subject=grant.subject, purpose=purpose, outcome=outcome)


def _waiting(grant_id: UUID) -> Grant:
    grant = Grant.objects.select_related("member").filter(id=grant_id).first()
    if grant is None:
        raise NotFound("There is no such request.")
    if state(grant, trusted_time.now()) is not State.ASKED:
        raise GrantRefused("This request is not waiting any more.")
    return grant


def _may_decide(decider: StaffMember, grant: Grant) -> None:
    if decider.id == grant.member_id:
        raise GrantRefused("Nobody decides about their own request.")
    allowed = DECIDERS_OF_ACTS if grant.scope.startswith("act:") else DECIDERS_OF_DATA
    if decider.role not in allowed:
        raise GrantRefused("Your role does not decide about this.")
    _require_fit(decider)


@enforces("2.4.c")
def approve(*, decider: StaffMember, grant_id: UUID) -> Grant:
    """Approve a request; its time runs from its beginning, and it ends by itself.

    Raises:
        GrantRefused: it is one's own, was decided already, or a personnel record has a gap.
        NotFound: there is no such request.
    """
    grant = _waiting(grant_id)
    _may_decide(decider, grant)
    _require_fit(grant.member)
    moment = trusted_time.now()
    begins = max(moment, grant.starts_at) if grant.starts_at else moment
    _decide(
        grant,
        decider,
        Act.GRANT_APPROVED,
        approved_at=moment,
        begins_at=begins,
        expires_at=begins + dt.timedelta(minutes=grant.minutes),
    )
    return grant


def refuse(*, decider: StaffMember, grant_id: UUID) -> None:
    """Refuse a request. Raises as ``approve`` does."""
    grant = _waiting(grant_id)
    _may_decide(decider, grant)
    _decide(grant, decider, Act.GRANT_REFUSED, refused_at=trusted_time.now())


def _decide(grant: Grant, decider: StaffMember, act: Act, **columns: dt.datetime) -> None:
    """Decide once: of two simultaneous decisions the conditional update lets one through."""
    with transaction.atomic():
        undecided = Grant.objects.filter(
            id=grant.id, approved_at__isnull=True, refused_at__isnull=True, ended_at__isnull=True
        )
        if undecided.update(decided_by=decider, **columns) != 1:
            raise GrantRefused("This request was decided already.")
        grant.refresh_from_db()
        _journal(_actor(decider), act, grant)


def end(*, actor: Actor, grant_id: UUID, because: str) -> None:
    """End a grant or withdraw a request, at once; one that ended already stays as it is."""
    with transaction.atomic():
        open_ = Grant.objects.filter(id=grant_id, ended_at__isnull=True, refused_at__isnull=True)
        if open_.update(ended_at=trusted_time.now(), ended_because=because[:80]):
            _journal(actor, Act.GRANT_REVOKED, Grant.objects.get(id=grant_id))


@enforces("8.1.a-b")
def suspend(*, actor: Actor, grant_id: UUID) -> bool:
    """Stop a grant for the time being: it opens nothing, and its clock runs on; return whether it was in force."""
    with transaction.atomic():
        open_ = Grant.objects.filter(
            id=grant_id, ended_at__isnull=True, refused_at__isnull=True, suspended_at__isnull=True
        )
        changed = open_.update(suspended_at=trusted_time.now())
        if changed:
            _journal(actor, Act.GRANT_SUSPENDED, Grant.objects.get(id=grant_id))
    return bool(changed)


def in_force_of(member_id: UUID) -> list[Grant]:
    """Return what a member may open now or soon by an approved grant; broken glass is not among it."""
    moment = trusted_time.now()
    held = Grant.objects.filter(member_id=member_id, broke_glass=False, expires_at__gt=moment).order_by("begins_at")
    return [grant for grant in held if state(grant, moment) in {State.LIVE, State.SCHEDULED}]


def by_id(grant_id: UUID) -> Grant:
    """Return a grant with its member.

    Raises:
        NotFound: there is none.
    """
    found = Grant.objects.select_related("member").filter(id=grant_id).first()
    if found is None:
        raise NotFound("There is no such grant.")
    return found


def resume(*, actor: Actor, grant_id: UUID) -> bool:
    """Let a suspended grant count again, for what is left of its time; return whether it was suspended."""
    with transaction.atomic():
        changed = Grant.objects.filter(id=grant_id, suspended_at__isnull=False).update(suspended_at=None)
        if changed:
            _journal(actor, Act.GRANT_RESUMED, Grant.objects.get(id=grant_id))
    return bool(changed)


@enforces("5.2", "5.1.b", "4.1.b")
def end_all_of(*, member: StaffMember, because: str) -> None:
    """End whatever a member still holds."""
    held = Grant.objects.filter(member=member, ended_at__isnull=True, refused_at__isnull=True)
    for grant_id in held.values_list("id", flat=True):
        end(actor=SYSTEM, grant_id=grant_id, because=because)


@enforces("2.4.c", "5.1.a")
def break_glass(
    *, member: StaffMember, scope: str, subject: UUID | None, purpose: str, ticket: str, reason: str
) -> Grant:
    """Open at once, for a short time, and loudly.

    The security officer and the DPO are written to before anything opens: a mail that cannot be sent opens nothing.
    A crash after the mail and before the commit leaves a warning about something that did not happen.

    Args:
        member: who.
        scope: one of ``Scope``.
        subject: pseudonym of the one customer, None for an act in production.
        purpose: one of ``Purpose``.
        ticket: such as ``INC-12``.
        reason: what cannot wait, in a sentence.

    Raises:
        GrantRefused: a part is missing, the personnel record has a gap, or an earlier one waits for its review.
        MailNotSent: nobody could be told.
    """
    _checked(scope, subject, purpose, ticket)
    if len(reason.strip()) < GLASS_REASON_MIN:
        raise GrantRefused("Please say in a sentence what cannot wait for an approval.")
    _require_fit(member)
    if Grant.objects.filter(member=member, broke_glass=True, reviewed_at__isnull=True).exists():
        raise GrantRefused("Your last break-glass was not reviewed yet. Please ask for a grant.")
    operator = configuration.current().operator
    for address in (operator.security_email, operator.privacy_email):
        mail.send(
            to=address,
            subject="Break-glass: somebody opened without approval",
            text=f"Member: {member.handle} ({member.role})\nWhat: {Scope(scope).label}\nTicket: {ticket}\n\n"
            f"It ends by itself in {GLASS_MINUTES} minutes and must be reviewed:\n"
            f"{configuration.current().public_url}/staff/grants/",
            about=subject,
        )
    moment = trusted_time.now()
    with transaction.atomic():
        grant = Grant.objects.create(
            member=member,
            scope=scope,
            subject=subject,
            purpose=purpose,
            ticket=ticket,
            reason=reason.strip()[:500],
            minutes=GLASS_MINUTES,
            asked_at=moment,
            approved_at=moment,
            begins_at=moment,
            expires_at=moment + dt.timedelta(minutes=GLASS_MINUTES),
            broke_glass=True,
        )
        _journal(_actor(member), Act.GLASS_BROKEN, grant)
        for hook in _GLASS_HOOKS:
            hook(grant)
    return grant


def review(*, reviewer: StaffMember, grant_id: UUID, finding: str) -> None:
    """Record what the review of a break-glass found.

    Raises:
        GrantRefused: it is one's own, was reviewed already, or there is no finding.
    """
    if len(finding.strip()) < GLASS_REASON_MIN:
        raise GrantRefused("Please say in a sentence what you found.")
    with transaction.atomic():
        waiting = Grant.objects.filter(id=grant_id, broke_glass=True, reviewed_at__isnull=True)
        others = waiting.exclude(member=reviewer)
        if others.update(reviewed_by=reviewer, reviewed_at=trusted_time.now(), finding=finding.strip()[:500]) != 1:
            raise GrantRefused("There is nothing here that you could review: it is reviewed already, or your own.")
        _journal(_actor(reviewer), Act.GLASS_REVIEWED, Grant.objects.get(id=grant_id))


@enforces("2.4.c", "5.1.a", "5.2", "5.1.b")
def use(*, member: StaffMember, grant_id: UUID, scope: str | None = None) -> Grant:
    """Return a grant that is live at this very moment, and note the use.

    The row is locked while it is looked at, so that ending and using cannot both succeed.

    Args:
        member: who uses it; another's grant is not there.
        grant_id: which.
        scope: what is about to be opened; None where the caller looks at the grant's own scope.

    Raises:
        NotFound: there is no such grant of this member.
        GrantRefused: it is not live, is for something else, or the personnel record has a gap: then it ends at once.
    """
    member = members.current(member)
    missing = personnel.gaps(member)
    if missing:
        end_all_of(member=member, because=missing[0])
        raise GrantRefused(f"Your grants have ended: {'; '.join(missing)}.")
    moment = trusted_time.now()
    with transaction.atomic():
        grant = Grant.objects.select_for_update().filter(id=grant_id, member=member).first()
        if grant is None:
            raise NotFound("There is no such grant.")
        standing = state(grant, moment)
        if standing is not State.LIVE:
            raise GrantRefused(f"This grant is {standing.value}; it opens nothing now.")
        if scope is not None and grant.scope != scope:
            raise GrantRefused("This grant is for something else.")
        Grant.objects.filter(id=grant.id).update(used_at=moment, uses=F("uses") + 1)
        _journal(_actor(member), Act.GRANT_USED, grant)
    return grant


@enforces("2.4.c")
def use_for_act(*, grant_id: UUID, scope: str) -> Grant:
    """Return a live grant for an act in production, and note the use; who holds it answers for the act.

    Raises:
        NotFound: there is no such grant.
        GrantRefused: it is not live, or is for something else.
    """
    found = Grant.objects.filter(id=grant_id).select_related("member").first()
    if found is None:
        raise NotFound("There is no such grant.")
    return use(member=found.member, grant_id=grant_id, scope=scope)
