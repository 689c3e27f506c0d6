"""The register of risks (clause 1.1.e): each tied to the clauses that hold it down, rated before and after."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock, dates
from headshotly.policy.clauses import clauses
from headshotly.policy.enforcement import enforces
from headshotly.purposes.errors import RiskRefused
from headshotly.purposes.models import Risk

LOWEST, HIGHEST = 1, 5
ACCEPTED_LINE = 8  # the product of both; what remains above it needs an acceptance by somebody else
LONGEST_REVIEW = dt.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Rating:
    """How likely and how bad, from 1 to 5."""

    likelihood: int
    impact: int

    @property
    def score(self) -> int:
        """Return the product, from 1 to 25."""
        return self.likelihood * self.impact


def _staff(actor: Actor) -> UUID:
    if actor.kind != "staff" or actor.id is None:
        raise RiskRefused("Only a member of staff writes to the register.")
    return actor.id


def record(
    *,
    actor: Actor,
    title: str,
    threat: str,
    clause_ids: list[str],
    before: Rating,
    after: Rating,
    review_on: dt.date,
) -> Risk:
    """Enter a risk.

    Args:
        actor: a member of staff.
        title: in one line.
        threat: what may happen to whom.
        clause_ids: the clauses that hold it down, at least one.
        before: rating without measures.
        after: rating with them; never worse than before.
        review_on: when to look again, within a year.

    Raises:
        RiskRefused: a part is missing, out of range or names no clause.
    """
    author, today = _staff(actor), dates.today()
    if not (title.strip() and threat.strip()):
        raise RiskRefused("A risk has a title, and words for what may happen to whom.")
    if not clause_ids or set(clause_ids) - set(clauses()):
        raise RiskRefused("A risk names the clauses that hold it down, by their numbers.")
    numbers = (before.likelihood, before.impact, after.likelihood, after.impact)
    if not all(LOWEST <= number <= HIGHEST for number in numbers) or after.score > before.score:
        raise RiskRefused("Ratings go from 1 to 5, and measures make nothing worse.")
    if not today < review_on <= today + LONGEST_REVIEW:
        raise RiskRefused("The review date lies in the future, at most a year ahead.")
    with transaction.atomic():
        made = Risk.objects.create(
            title=title.strip(),
            threat=threat.strip(),
            clauses=sorted(set(clause_ids)),
            likelihood=before.likelihood,
            impact=before.impact,
            residual_likelihood=after.likelihood,
            residual_impact=after.impact,
            recorded_by=author,
            recorded_at=clock.now(),
            review_on=review_on,
        )
        audit.record(actor=actor, act=Act.RISK_RECORDED, purpose=str(made.id))
    return made


def residual(risk: Risk) -> Rating:
    """Return what remains of a risk."""
    return Rating(risk.residual_likelihood, risk.residual_impact)


def accept(*, actor: Actor, risk_id: UUID, because: str) -> None:
    """Accept what remains of somebody else's risk, with the reason.

    Raises:
        RiskRefused: there is no such open risk, no reason, or the accepter recorded it.
    """
    accepter = _staff(actor)
    with transaction.atomic():
        risk = Risk.objects.select_for_update().filter(id=risk_id, closed_at__isnull=True).first()
        if risk is None or not because.strip() or risk.recorded_by == accepter:
            raise RiskRefused("Somebody else accepts a risk, with a reason.")
        risk.accepted_by, risk.accepted_at, risk.accepted_because = accepter, clock.now(), because.strip()
        risk.save()
        audit.record(actor=actor, act=Act.RISK_ACCEPTED, purpose=str(risk.id))


def close(*, actor: Actor, risk_id: UUID) -> None:
    """Close a risk that is none any more; it stays in the register.

    Raises:
        RiskRefused: there is no such open risk.
    """
    _staff(actor)
    with transaction.atomic():
        if not Risk.objects.filter(id=risk_id, closed_at__isnull=True).update(closed_at=clock.now()):
            raise RiskRefused("There is no such open risk.")
        audit.record(actor=actor, act=Act.RISK_CLOSED, purpose=str(risk_id))


def register() -> list[Risk]:
    """Return every risk, open ones first, the worst remaining first."""
    found = list(Risk.objects.all())
    return sorted(found, key=lambda risk: (risk.closed_at is not None, -residual(risk).score, risk.title))


@enforces("1.1.e")
def unaccepted() -> list[Risk]:
    """Return the open risks that remain above the line and that nobody accepted, and those past their review."""
    today = dates.today()
    return [
        risk
        for risk in register()
        if risk.closed_at is None
        and ((residual(risk).score > ACCEPTED_LINE and risk.accepted_by is None) or risk.review_on <= today)
    ]
