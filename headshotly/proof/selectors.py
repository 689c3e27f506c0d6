"""Reading what is known: every clause with its verdict, computed from the newest evidence at any moment."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Max

from headshotly.policy import clock, configuration
from headshotly.policy.clauses import Clause, clause, clauses
from headshotly.proof import registry
from headshotly.proof.findings import Assurance, Environment, Outcome
from headshotly.proof.models import (
    Attestation,
    CheckRun,
    DecisionKind,
    Evidence,
    ExceptionDecision,
    ExceptionRequest,
)
from headshotly.proof.registry import Check
from headshotly.proof.rules import CALLED, EXPLAINED, FOLLOWS, why_unchecked
from headshotly.proof.scene import environment_of
from headshotly.proof.verdicts import Excuse, Judgement, Seen, Verdict, combine, follow, judge_check


@dataclass(frozen=True, slots=True)
class CheckState:
    """One check of a clause and what it says now.

    Attributes:
        check: the check, with its plain words.
        judgement: verdict and reason.
        evidence: the newest row it rests on; None where it never looked.
    """

    check: Check
    judgement: Judgement
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class ClauseState:
    """One clause and what is known of it.

    Attributes:
        clause: the promise.
        judgement: verdict, reason, when and where it was seen.
        checks: what looks at it, each with its own judgement.
        explained: plain words where the clause follows others instead; empty otherwise.
    """

    clause: Clause
    judgement: Judgement
    checks: tuple[CheckState, ...]
    explained: str = ""

    @property
    def assurances(self) -> tuple[Assurance, ...]:
        """Return how it is known, each once."""
        return tuple(dict.fromkeys(one.check.assurance for one in self.checks))


@dataclass(frozen=True, slots=True)
class _Knowledge:
    moment: dt.datetime
    required: Environment
    newest: dict[str, Evidence]
    excuses: tuple[Excuse, ...]


def states(*, at: dt.datetime | None = None) -> dict[str, ClauseState]:
    """Return every clause with its verdict, in the order of the text.

    Args:
        at: a moment in the past, to see what was known then; now where None.
    """
    moment = at or clock.now()
    known = _Knowledge(
        moment=moment,
        required=environment_of(configuration.current()),
        newest=newest_evidence(at=moment),
        excuses=excuses(at=moment),
    )
    found = {one.id: _state(one, known) for one in clauses().values() if one.id not in FOLLOWS}
    # A clause that follows another that follows is judged after it.
    for clause_id in sorted(FOLLOWS, key=lambda one: len(set(FOLLOWS[one]) & set(FOLLOWS))):
        others = {other: found[other].judgement for other in FOLLOWS[clause_id]}
        judgement = follow(others, what=CALLED[clause_id])
        found[clause_id] = ClauseState(clause(clause_id), judgement, (), EXPLAINED[clause_id])
    return {clause_id: found[clause_id] for clause_id in clauses()}


def state(clause_id: str) -> ClauseState:
    """Return one clause with its verdict.

    Raises:
        UnknownClause: there is none.
    """
    return states()[clause(clause_id).id]


def _state(shown: Clause, known: _Knowledge) -> ClauseState:
    fresh_for = dt.timedelta(days=shown.cadence_days)
    looked = tuple(
        CheckState(
            one,
            judge_check(
                one.id,
                seen_of(row) if (row := known.newest.get(one.id)) else None,
                excuses=known.excuses,
                moment=known.moment,
                fresh_for=fresh_for,
                required=known.required,
            ),
            known.newest.get(one.id),
        )
        for one in registry.of_clause(shown.id)
    )
    if not looked:
        unchecked = Judgement(verdict=Verdict.UNKNOWN, reason=why_unchecked(shown.id))
        return ClauseState(shown, unchecked, ())
    return ClauseState(shown, combine([one.judgement for one in looked]), looked)


def seen_of(row: Evidence) -> Seen:
    """Return a row of evidence as the calculus reads it."""
    return Seen(
        check=row.check_name,
        outcome=Outcome(row.outcome),
        sentence=row.sentence,
        population=row.population,
        broken=tuple(row.broken),
        assurance=Assurance(row.assurance),
        environment=Environment(row.environment),
        observed_at=row.observed_to,
        expires_at=row.expires_at,
    )


def newest_evidence(*, at: dt.datetime | None = None) -> dict[str, Evidence]:
    """Return the newest evidence of every check, by its id, as it was known at a moment."""
    rows = Evidence.objects.filter(observed_to__lte=at) if at else Evidence.objects.all()
    latest = {one["check_name"]: one["latest"] for one in rows.values("check_name").annotate(latest=Max("observed_to"))}
    found = rows.filter(check_name__in=latest, observed_to__in=set(latest.values()))
    return {row.check_name: row for row in found if latest[row.check_name] == row.observed_to}


def excuses(*, at: dt.datetime) -> tuple[Excuse, ...]:
    """Return every exception that somebody approved, with the time in which it counted, as known at a moment."""
    decided: dict[UUID, dict[str, dt.datetime]] = {}
    for one in ExceptionDecision.objects.filter(decided_at__lte=at):
        decided.setdefault(one.request_id, {})[one.kind] = one.decided_at
    found = []
    for request in ExceptionRequest.objects.filter(id__in=decided):
        steps = decided[request.id]
        if DecisionKind.APPROVED in steps:
            until = min(request.expires_at, steps.get(DecisionKind.ENDED, request.expires_at))
            ids = frozenset(map(str, request.ids))
            found.append(
                Excuse(
                    check=request.check_name,
                    ids=ids,
                    reason=request.reason,
                    from_=steps[DecisionKind.APPROVED],
                    until=until,
                )
            )
    return tuple(found)


def attestation_of(clause_id: str) -> Attestation | None:
    """Return the attestation of a clause that counts longest."""
    return Attestation.objects.filter(clause_id=clause_id).order_by("-expires_on", "-attested_at").first()


def runs(*, most: int = 50) -> list[CheckRun]:
    """Return the newest runs, newest first."""
    return list(CheckRun.objects.order_by("-ended_at")[:most])


def latest_run() -> CheckRun | None:
    """Return the newest run, or None where nobody has looked yet."""
    return CheckRun.objects.order_by("-ended_at").first()


def evidence_of(run: CheckRun) -> list[Evidence]:
    """Return what a run saw, by check."""
    return list(Evidence.objects.filter(run=run).order_by("check_name"))


def unchecked() -> list[Clause]:
    """Return the clauses that nothing looks at; a test keeps this empty."""
    return [one for one in clauses().values() if one.id not in FOLLOWS and not registry.of_clause(one.id)]
