"""Reading breaches: how they stand, whom they must still be told to, until when."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from headshotly.incidents import california, residence
from headshotly.incidents.assessment import Risk, Spread, is_lower
from headshotly.incidents.models import (
    AffectedPerson,
    Breach,
    Case,
    Decision,
    Ground,
    Judgement,
    Keys,
    Letter,
    Notice,
    NoticePhase,
)
from headshotly.incidents.obligations import Addressee, Facts, Obligation, Standing, obligations
from headshotly.incidents.phases import Phase
from headshotly.policy import clock, configuration
from headshotly.policy.enforcement import enforces
from headshotly.vendors.posting import PostState


def intelligible(breach: Breach) -> bool:
    """Say whether an intruder could read the data: it was opened, or its keys are not known to be safe."""
    return breach.opened or breach.keys != Keys.SAFE


def effective(judgement: Judgement) -> Risk:
    """Return what a judgement counts as: the method's own risk while nobody has agreed to a milder one."""
    risk, proposed = Risk(judgement.risk), Risk(judgement.proposed)
    return proposed if is_lower(risk, proposed) and judgement.agreed_at is None else risk


def judgements(breach: Breach) -> list[Judgement]:
    """Return every judgement of a breach, oldest first."""
    return list(Judgement.objects.filter(breach=breach).order_by("judged_at"))


def risk_of(breach: Breach) -> Risk | None:
    """Return the risk that counts, or None while nobody has judged."""
    found = judgements(breach)
    return effective(found[-1]) if found else None


def _found_high_at(found: list[Judgement]) -> dt.datetime | None:
    """Return since when the risk has been held to be high without a break."""
    since = None
    for one in found:
        if effective(one) is not Risk.HIGH:
            since = None
        elif since is None:
            since = one.judged_at
    return since


def californian(breach: Breach) -> california.Finding | None:
    """Say whether the Californian statute applies, or None while the kinds of data are not known."""
    if breach.scoped_at is None:
        return None
    return california.finding(
        frozenset(breach.kinds), intelligible=intelligible(breach), acquired=breach.spread != Spread.NONE
    )


def residents_of(breach: Breach) -> int:
    """Return how many residents of California are concerned; whoever's residence is not known counts."""
    if breach.residents is not None:
        return breach.residents
    return residents(breach).count()


def residents(breach: Breach) -> QuerySet[AffectedPerson]:
    """Return the people concerned who live in California, or of whom nobody knows where they live."""
    return AffectedPerson.objects.filter(breach=breach).exclude(residence=residence.ELSEWHERE)


def notices_of(breach: Breach) -> list[Notice]:
    """Return every notice of a breach, oldest first."""
    return list(Notice.objects.filter(breach=breach).order_by("released_at"))


def facts_of(breach: Breach) -> Facts:
    """Return what the clocks want to know of a breach."""
    told: dict[Addressee, dt.datetime] = {}
    completed: dict[Addressee, dt.datetime] = {}
    for notice in notices_of(breach):
        if notice.sent_at is None:
            continue
        whom = Addressee(notice.addressee)
        told.setdefault(whom, notice.sent_at)
        if notice.phase == NoticePhase.COMPLETE or (
            notice.phase == NoticePhase.SUPPLEMENTARY and not notice.content.get("more_follows")
        ):
            completed[whom] = notice.sent_at
    approved = Decision.objects.filter(breach=breach, approved_at__isnull=False, ended_at__isnull=True)
    decided = {Addressee(one.addressee) for one in approved if _still_holds(breach, Ground(one.ground))}
    law = californian(breach)
    judged = judgements(breach)
    return Facts(
        aware_at=breach.aware_at,
        risk=effective(judged[-1]) if judged else None,
        found_high_at=_found_high_at(judged),
        california=None if law is None else law.applies,
        residents=residents_of(breach),
        told=told,
        completed=completed,
        decided=frozenset(decided),
        zone=ZoneInfo(configuration.current().operator.time_zone),
        delayed_until=breach.delayed_until,
    )


def _still_holds(breach: Breach, ground: Ground) -> bool:
    """Say whether what a decision was built on is still so; a key found touched later takes the exemption away."""
    if ground is Ground.UNLIKELY:
        return risk_of(breach) is Risk.UNLIKELY
    return ground is not Ground.UNINTELLIGIBLE or not intelligible(breach)


@enforces("8.3.a", "8.3.b", "8.3.c")
def obligations_of(breach: Breach) -> list[Obligation]:
    """Return whom a breach must be told to, until when, and where that stands."""
    return obligations(facts_of(breach), now=clock.now())


def undelivered(breach: Breach) -> int:
    """Return how many letters could not be delivered and must reach their people another way."""
    return Letter.objects.filter(notice__breach=breach, state=PostState.FAILED).count()


def untold(case: Case) -> list[str]:
    """Return, in words, what must still be told or decided before a case may go on."""
    breach = Breach.objects.select_related("case").filter(case=case).first()
    if breach is None:
        return ["a breach to be recorded, since personal data was touched"] if case.personal_data else []
    found = [one.addressee.label.lower() for one in obligations_of(breach) if one.waits]
    if risk_of(breach) is None:
        found.append("the risk to people, which nobody has judged")
    if breach.keys == Keys.UNKNOWN:
        found.append("whether keys were touched")
    failed = undelivered(breach)
    return [*found, *([f"{failed} people whose letter could not be delivered"] if failed else [])]


@dataclass(frozen=True, slots=True)
class Line:
    """A breach with its obligations, for lists.

    Attributes:
        breach: the row, with its case.
        obligations: whom it must be told to.
        next: the obligation whose clock runs out first, or None where nothing waits.
    """

    breach: Breach
    obligations: list[Obligation]
    next: Obligation | None


def lines() -> list[Line]:
    """Return every breach: what waits first by its clock, then the others, newest first. Exercises are not in it."""
    found = []
    for breach in Breach.objects.select_related("case").exclude(case__origin="exercise").order_by("-recorded_at"):
        owed = obligations_of(breach)
        waiting = sorted((one for one in owed if one.waits and one.latest), key=lambda one: one.latest or clock.now())
        found.append(Line(breach, owed, waiting[0] if waiting else None))
    far = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(found, key=lambda line: (line.next.latest or far) if line.next else far)


@enforces("8.3.a", "8.3.b", "8.3.c")
def late(*, addressee: Addressee | None = None) -> list[tuple[Breach, Obligation]]:
    """Return every obligation past its clock without a notice or an approved decision; the clauses hold while empty.

    Args:
        addressee: only these, or all.
    """
    return [
        (line.breach, one)
        for line in lines()
        for one in line.obligations
        if one.standing is Standing.LATE and addressee in {None, one.addressee}
    ]


def approvals_waiting() -> int:
    """Return how many proposals and milder judgements wait for somebody else."""
    proposals = Decision.objects.filter(approved_at__isnull=True, ended_at__isnull=True)
    open_cases = ~Q(breach__case__phase=Phase.CLOSED)
    unagreed = 0
    for breach in Breach.objects.exclude(case__phase=Phase.CLOSED):
        judged = judgements(breach)
        unagreed += bool(judged and judged[-1].agreed_at is None and effective(judged[-1]) != judged[-1].risk)
    return proposals.filter(open_cases).count() + unagreed
