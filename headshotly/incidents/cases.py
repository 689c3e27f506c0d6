"""The verbs of a case: opened, taken, rated, moved through its phases, closed (clauses 5.3.b, 8.1)."""

import datetime as dt
from uuid import UUID

from django.db import transaction

from headshotly.access import members
from headshotly.access.models import Grant
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.incidents import breach_selectors, calls, oncall, phases, timeline, wording
from headshotly.incidents.errors import NotFound, NotNow
from headshotly.incidents.escalation import Duty, News
from headshotly.incidents.models import Alert, Breach, Case, CaseAlert, Containment, Level, TimelineKind
from headshotly.incidents.phases import Origin, Outcome, Phase, Severity
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

_SEVERITY = {
    Level.CRITICAL: Severity.CRITICAL,
    Level.HIGH: Severity.HIGH,
    Level.MEDIUM: Severity.MEDIUM,
}
_RANK = {Severity.LOW: 0, Severity.MEDIUM: 1, Severity.HIGH: 2, Severity.CRITICAL: 3}
_TITLE_MAX = 160


@enforces("5.3.b", "8.1.a-b")
def open_case(
    *,
    actor: Actor,
    title: str,
    words: str,
    severity: Severity,
    origin: Origin,
    origin_id: UUID | None = None,
    happened_at: dt.datetime | None = None,
    subject: UUID | None = None,
) -> Case:
    """Open a case: it has an owner, a severity and a clock from its first moment, and whoever is on call is called.

    Args:
        actor: who, or the house itself.
        title: one line, pseudonyms only.
        words: what is known, in a sentence.
        severity: how bad it may be.
        origin: where it came from.
        origin_id: of the alert or grant; one origin opens one case, asking again returns it.
        happened_at: when it was first seen, if not now.
        subject: the data subject concerned, by pseudonym.

    Raises:
        Incomplete: title or words are missing, or name somebody's address.
    """
    line = wording.checked(title, what="Title", longest=_TITLE_MAX)
    text = wording.checked(words, what="What is known")
    now = clock.now()
    with transaction.atomic():
        if origin_id is not None:
            known = Case.objects.filter(origin=origin, origin_id=origin_id).first()
            if known is not None:
                return known
        case = Case.objects.create(
            title=line,
            severity=severity,
            origin=origin,
            origin_id=origin_id,
            opened_at=now,
            opened_by=actor.id if actor.kind == "staff" else None,
            ladder_at=now,
            owner=oncall.holder(Duty.FIRST, now),
        )
        timeline.write(
            actor=actor,
            case=case,
            kind=TimelineKind.OPENED,
            words=text,
            act=Act.CASE_OPENED,
            happened_at=happened_at,
            subject=subject,
        )
        calls.queue_reached(case, now=now)
    return case


@enforces("5.3.b")
def open_for_alert(alert: Alert) -> None:
    """Open a case for an alert, or add the alert to the open case of the same rule and group; in its transaction.

    What is only informational or low waits among the alerts until somebody makes a case of it.
    """
    severity = _SEVERITY.get(Level(alert.level))
    if severity is not None:
        attach(actor=SYSTEM, alert=alert, severity=severity)


def attach(*, actor: Actor, alert: Alert, severity: Severity) -> Case:
    """Return the case an alert belongs to, opening one where there is none."""
    with transaction.atomic():
        known = CaseAlert.objects.select_related("case").filter(alert=alert).first()
        if known is not None:
            return known.case
        case = _same_episode(alert)
        if case is None:
            case = open_case(
                actor=actor,
                title=alert.title[:_TITLE_MAX],
                words=alert.sentence,
                severity=severity,
                origin=Origin.ALERT,
                origin_id=alert.id,
                happened_at=alert.first_event_at,
                subject=alert.subject,
            )
        else:
            timeline.write(
                actor=actor, case=case, kind=TimelineKind.ALERT, words=alert.sentence, act=Act.CASE_NOTED,
                happened_at=alert.first_event_at, subject=alert.subject,
            )  # fmt: skip
            if _RANK[severity] > _RANK[Severity(case.severity)]:
                rate(actor=actor, number=case.number, severity=severity, because=f"A graver alert: {alert.title}")
        CaseAlert.objects.create(alert=alert, case=case, added_at=clock.now())
    return case


def _same_episode(alert: Alert) -> Case | None:
    """Return the open case of an alert of the same rule about the same group: one attack is one case."""
    others = CaseAlert.objects.select_related("case", "alert").filter(alert__rule=alert.rule)
    for one in others.exclude(case__phase=Phase.CLOSED).order_by("-added_at"):
        if one.alert.group == alert.group:
            return one.case
    return None


@enforces("2.4.c", "5.3.b")
def open_for_glass(grant: Grant) -> None:
    """Open a case for a break-glass; the front door hands this to ``access``, in the transaction that opens it."""
    open_case(
        actor=SYSTEM,
        title=f"Break-glass: {grant.get_scope_display()}"[:_TITLE_MAX],
        words=f"{grant.member.role} opened without approval, ticket {grant.ticket}. Look at what it was used for.",
        severity=Severity.HIGH,
        origin=Origin.GLASS,
        origin_id=grant.id,
        subject=grant.subject,
    )


def get(number: int) -> Case:
    """Return a case.

    Raises:
        NotFound: there is none of this number.
    """
    found = Case.objects.filter(number=number).first()
    if found is None:
        raise NotFound("There is no such case.")
    return found


def locked(number: int) -> Case:
    """Return a case that is not closed, held until the caller's transaction ends.

    Raises:
        NotFound: there is none of this number.
        NotNow: it is closed.
    """
    found = Case.objects.select_for_update().filter(number=number).first()
    if found is None:
        raise NotFound("There is no such case.")
    if found.phase == Phase.CLOSED:
        raise NotNow("This case is closed. Please open a new one that names it.")
    return found


@enforces("5.3.b")
def take(*, actor: Actor, number: int) -> Case:
    """Take a case: the one who acts owns it, and its first clock stops."""
    with transaction.atomic():
        case = locked(number)
        case.owner = actor.id
        case.acknowledged_at = case.acknowledged_at or clock.now()
        case.save(update_fields=["owner", "acknowledged_at"])
        timeline.write(
            actor=actor, case=case, kind=TimelineKind.OWNER, words="Taken.", act=Act.CASE_TAKEN, subject=actor.id
        )
        calls.tell_pager(case, News.TAKEN, now=clock.now())
    return case


def hand_over(*, actor: Actor, number: int, to: UUID) -> Case:
    """Hand a case to another member whose role works on cases.

    Raises:
        NotFound: there is no such case or member.
        NotNow: their role does not work on cases, or the case is closed.
    """
    member = members.by_id(to)
    if "incidents.write" not in members.rights_of(member):
        raise NotNow("Their role does not work on cases.")
    with transaction.atomic():
        case = locked(number)
        case.owner = member.id
        case.save(update_fields=["owner"])
        words = f"Handed over to {member.handle}."
        timeline.write(
            actor=actor, case=case, kind=TimelineKind.OWNER, words=words, act=Act.CASE_TAKEN, subject=member.id
        )
    return case


def rate(*, actor: Actor, number: int, severity: Severity, because: str) -> Case:
    """Judge a case graver or milder; a graver one that nobody has taken calls again from the first step."""
    reason = wording.checked(because, what="The reason")
    with transaction.atomic():
        case = locked(number)
        before = Severity(case.severity)
        if before is severity:
            return case
        case.severity = severity
        if _RANK[severity] > _RANK[before] and case.acknowledged_at is None:
            case.ladder_at = clock.now()
        case.save(update_fields=["severity", "ladder_at"])
        words = f"{before.label} → {severity.label}: {reason}"
        timeline.write(actor=actor, case=case, kind=TimelineKind.SEVERITY, words=words, act=Act.CASE_RATED)
        calls.queue_reached(case, now=clock.now())
    return case


def note(*, actor: Actor, number: int, words: str, happened_at: dt.datetime | None = None) -> None:
    """Write something into the timeline.

    Raises:
        Incomplete: it is empty, too long, or names somebody's address.
        NotNow: the case is closed, or the moment lies ahead.
    """
    text = wording.checked(words, what="The note")
    if happened_at is not None and happened_at > clock.now():
        raise NotNow("The timeline holds what has happened; this moment lies ahead.")
    with transaction.atomic():
        case = locked(number)
        timeline.write(
            actor=actor, case=case, kind=TimelineKind.NOTE, words=text, act=Act.CASE_NOTED, happened_at=happened_at
        )


def judge_personal_data(*, actor: Actor, number: int, touched: bool, because: str) -> None:
    """Record whether personal data was touched; a yes makes the case wait for its breach to be recorded.

    Raises:
        NotNow: a breach is recorded, so personal data was touched.
    """
    reason = wording.sentence(because, what="The reason")
    with transaction.atomic():
        case = locked(number)
        if not touched and Breach.objects.filter(case=case).exists():
            raise NotNow("A breach is recorded in this case; it stays in the register.")
        case.personal_data = touched
        case.save(update_fields=["personal_data"])
        words = f"Personal data {'was' if touched else 'was not'} touched: {reason}"
        timeline.write(actor=actor, case=case, kind=TimelineKind.DECISION, words=words, act=Act.CASE_NOTED)


def keep_in_force(*, actor: Actor, number: int, because: str) -> None:
    """Record why containment stays in force after the case is over."""
    reason = wording.sentence(because, what="The reason")
    with transaction.atomic():
        case = locked(number)
        case.kept_in_force = reason
        case.save(update_fields=["kept_in_force"])
        words = f"Containment stays: {reason}"
        timeline.write(actor=actor, case=case, kind=TimelineKind.DECISION, words=words, act=Act.CASE_NOTED)


def facts_of(case: Case) -> phases.Facts:
    """Return what the table of phases wants to know of a case."""
    return phases.Facts(
        phase=Phase(case.phase),
        owned=case.owner is not None and case.acknowledged_at is not None,
        personal_data=case.personal_data,
        untold=tuple(breach_selectors.untold(case)),
        in_force=Containment.objects.filter(case=case, undone_at__isnull=True).count(),
        kept_in_force=case.kept_in_force,
    )


@enforces("8.1.a-b")
def move(*, actor: Actor, number: int, to: Phase, words: str) -> Case:
    """Move a case to another phase, or close it, with the sentence that answers the phase's question.

    Raises:
        NotNow: the table does not allow it, or something is missing; the refusal names all of it.
    """
    text = wording.checked(words, what="The answer")
    with transaction.atomic():
        case = locked(number)
        keeps_back = phases.missing(facts_of(case), to, words=text)
        if keeps_back:
            raise NotNow(" ".join(keeps_back))
        _go(case, actor, to, text, outcome=Outcome.INCIDENT if to is Phase.CLOSED else None)
    return case


def _go(case: Case, actor: Actor, to: Phase, text: str, *, outcome: Outcome | None) -> None:
    left, now = Phase(case.phase), clock.now()
    case.phase = to
    if left is Phase.CONTAINMENT and to is Phase.ERADICATION:
        case.contained_at = now
    if outcome is not None:
        case.outcome, case.closed_at = outcome, now
    case.save(update_fields=["phase", "contained_at", "outcome", "closed_at"])
    words = f"{left.label} → {to.label}: {text}"
    kind, act = (TimelineKind.CLOSED, Act.CASE_CLOSED) if to is Phase.CLOSED else (TimelineKind.PHASE, Act.CASE_MOVED)
    timeline.write(actor=actor, case=case, kind=kind, words=words, act=act)
    if to is Phase.CLOSED:
        calls.tell_pager(case, News.OVER, now=now)


def finish_exercise(*, case: Case, actor: Actor, findings: str) -> None:
    """Close an exercise's case; it was practised, so it need not go through the phases. Runs in the exercise's end."""
    _go(case, actor, Phase.CLOSED, f"Exercise. {findings}", outcome=Outcome.INCIDENT)


def dismiss(*, actor: Actor, number: int, outcome: Outcome, because: str) -> Case:
    """Close a case that was none: a false alarm, or the same as another.

    Raises:
        NotNow: it went too far to be nothing: a breach is recorded, something is contained, or nobody owns it.
    """
    reason = wording.sentence(because, what="The reason")
    if outcome not in {Outcome.FALSE_ALARM, Outcome.DUPLICATE}:
        raise NotNow("An incident is closed through its phases.")
    with transaction.atomic():
        case = locked(number)
        if Phase(case.phase) not in {Phase.DETECTION, Phase.CONTAINMENT}:
            raise NotNow("It was treated as an incident already; close it through its phases.")
        if Breach.objects.filter(case=case).exists():
            raise NotNow("A breach is recorded in this case; it stays in the register.")
        if Containment.objects.filter(case=case, undone_at__isnull=True).exists():
            raise NotNow("Please undo what was contained first.")
        if case.owner is None or case.acknowledged_at is None:
            raise NotNow("Somebody must own the case first.")
        _go(case, actor, Phase.CLOSED, f"{outcome.label}. {reason}", outcome=outcome)
    return case
