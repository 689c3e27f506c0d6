"""This room's verbs: look, write down what was seen, accept for a time, vouch."""

import datetime as dt
import logging
import re
from collections.abc import Callable, Sequence
from typing import Literal
from uuid import UUID, uuid4

from django.db import transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.policy import clock, dates
from headshotly.policy.clauses import ClauseKind, clauses
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal
from headshotly.proof import evidence, registry
from headshotly.proof.errors import AttestationRefused, ExceptionRefused, NothingToCheck
from headshotly.proof.findings import Environment, Finding, Outcome
from headshotly.proof.models import (
    Attestation,
    CheckRun,
    DecisionKind,
    Evidence,
    ExceptionDecision,
    ExceptionRequest,
)
from headshotly.proof.registry import Check
from headshotly.proof.rules import FOLLOWS
from headshotly.proof.scene import Scene
from headshotly.proof.source import running_source

EXCEPTION_LONGEST = dt.timedelta(days=180)
ATTESTATION_LONGEST = dt.timedelta(days=3 * 366)
_SHORTEST_REASON = 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_logger = logging.getLogger(__name__)

type Progress = Callable[[Check, Finding | None], None]
type AskedBy = Literal["command", "duty"]


def checks_of(clause_ids: Sequence[str]) -> list[Check]:
    """Return the checks to run for some clauses, or for all of them where none is named; each once.

    A clause that follows others brings their checks along.

    Raises:
        NothingToCheck: a clause does not exist.
    """
    strangers = [one for one in clause_ids if one not in clauses()]
    if strangers:
        raise NothingToCheck(f"There is no clause {strangers[0]}.")
    wanted = set(clause_ids) or set(clauses())
    wanted |= {one for clause_id in wanted for one in FOLLOWS.get(clause_id, ())}
    return [one for one in registry.load().values() if wanted & set(one.clauses)]


def look_once(check: Check, scene: Scene) -> Finding:
    """Return what a check sees; one that breaks is an error, never a pass."""
    try:
        return check.look(scene)
    except Refusal as refusal:
        return Finding(outcome=Outcome.ERROR, sentence=f"The check could not finish: {refusal.sentence}")
    except Exception as error:
        # What an unforeseen error says may hold anything; its kind is enough to find it by in the log.
        _logger.exception("check.broke", extra={"check": check.id})
        return Finding(outcome=Outcome.ERROR, sentence=f"The check itself broke ({type(error).__name__}).")


def verify(
    *, scene: Scene, clause_ids: Sequence[str] = (), asked_by: AskedBy, progress: Progress | None = None
) -> CheckRun:
    """Run the checks of some clauses against this installation and write down what each saw.

    A crash before the last line leaves no trace of the run but what the checks themselves wrote to the journal.

    Args:
        scene: what to look at.
        clause_ids: which clauses; empty means all.
        asked_by: who began the run.
        progress: called before each check with None, and after it with what it saw.

    Raises:
        NothingToCheck: a clause does not exist.
    """
    chosen, began = checks_of(clause_ids), clock.now()
    seen: list[tuple[Check, Finding, dt.datetime]] = []
    for one in chosen:
        if progress is not None:
            progress(one, None)
        found = look_once(one, scene)
        seen.append((one, found, clock.now()))
        if progress is not None:
            progress(one, found)
    return _write_down(scene, seen, began=began, asked_by=asked_by)


@enforces("1.3.a")
def _write_down(
    scene: Scene, seen: list[tuple[Check, Finding, dt.datetime]], *, began: dt.datetime, asked_by: AskedBy
) -> CheckRun:
    """Keep a run, its evidence and the journal's entry over both in one transaction: all of it or nothing."""
    run_id = uuid4()
    rows = [_row(run_id, one, found, at, scene.environment) for one, found, at in seen]
    total = evidence.digest_of_run(str(run_id), (row.sha256 for row in rows))
    with transaction.atomic():
        run = CheckRun.objects.create(
            id=run_id,
            began_at=began,
            ended_at=clock.now(),
            asked_by=asked_by,
            source=running_source(),
            evidence_count=len(rows),
            sha256=total,
        )
        Evidence.objects.bulk_create(rows)
        audit.record(actor=SYSTEM, act=Act.CHECKS_RUN, purpose=f"run {run_id} of {len(rows)} checks, sha256 {total}")
    return run


def _row(run_id: UUID, check: Check, found: Finding, at: dt.datetime, here: Environment) -> Evidence:
    row = Evidence(
        id=uuid4(),
        run_id=run_id,
        check_name=check.id,
        clauses=list(check.clauses),
        outcome=found.outcome.value,
        sentence=found.sentence,
        population=found.population,
        broken=list(found.broken),
        assurance=check.assurance.value,
        environment=(Environment.EMULATED if found.emulated else here).value,
        observed_from=min(found.observed_from or at, at),
        observed_to=at,
        expires_at=found.expires_at,
    )
    row.sha256 = evidence.digest(fields_of(row))
    return row


def fields_of(row: Evidence) -> dict[str, object]:
    """Return what the hash of a piece of evidence covers."""
    return {
        "id": row.id,
        "run": row.run_id,
        "check": row.check_name,
        "clauses": row.clauses,
        "outcome": row.outcome,
        "sentence": row.sentence,
        "population": row.population,
        "broken": row.broken,
        "assurance": row.assurance,
        "environment": row.environment,
        "observed_from": row.observed_from,
        "observed_to": row.observed_to,
        "expires_at": row.expires_at,
    }


def _staff(actor: Actor) -> UUID:
    if actor.kind != "staff" or actor.id is None:
        raise ExceptionRefused("Only a member of staff asks for or decides about an exception.")
    return actor.id


def ask_exception(
    *, actor: Actor, check_name: str, ids: Sequence[str], reason: str, expires_at: dt.datetime
) -> ExceptionRequest:
    """Ask that exact broken things of one check be accepted for a time.

    Args:
        actor: a member of staff.
        check_name: id of the check.
        ids: what is accepted, exactly as the finding names it; at least one.
        reason: why it is bearable, in a sentence.
        expires_at: when it ends by itself, half a year ahead at most.

    Raises:
        ExceptionRefused: a part is missing or makes no sense.
    """
    member, moment = _staff(actor), clock.now()
    named = sorted({one.strip() for one in ids if one.strip()})
    if check_name not in registry.load() or not named or "*" in named:
        raise ExceptionRefused("An exception names one check and the exact ids it accepts.")
    if len(reason.strip()) < _SHORTEST_REASON:
        raise ExceptionRefused("Please say in a sentence why this is bearable for a time.")
    if not moment < expires_at <= moment + EXCEPTION_LONGEST:
        raise ExceptionRefused("An exception ends within half a year.")
    with transaction.atomic():
        made = ExceptionRequest.objects.create(
            check_name=check_name,
            ids=named,
            reason=reason.strip(),
            asked_by=member,
            asked_at=moment,
            expires_at=expires_at,
        )
        audit.record(actor=actor, act=Act.EXCEPTION_ASKED, purpose=f"exception {made.id} of {check_name}")
    return made


_DECISION_ACTS = {
    DecisionKind.APPROVED: Act.EXCEPTION_APPROVED,
    DecisionKind.REFUSED: Act.EXCEPTION_REFUSED,
    DecisionKind.ENDED: Act.EXCEPTION_ENDED,
}


def decide_exception(*, actor: Actor, request_id: UUID, kind: DecisionKind) -> ExceptionDecision:
    """Approve or refuse somebody else's request, or end an approved one early.

    Raises:
        ExceptionRefused: it is one's own, was decided already, is over, or there is none.
    """
    member, moment = _staff(actor), clock.now()
    with transaction.atomic():
        # The lock lets only one of two simultaneous decisions see the request undecided.
        request = ExceptionRequest.objects.select_for_update().filter(id=request_id, expires_at__gt=moment).first()
        if request is None:
            raise ExceptionRefused("There is no such request, or its time is over.")
        past = set(ExceptionDecision.objects.filter(request=request).values_list("kind", flat=True))
        if kind is DecisionKind.ENDED:
            if past != {DecisionKind.APPROVED}:
                raise ExceptionRefused("Only an exception in force can be ended.")
        elif past:
            raise ExceptionRefused("This request was decided already.")
        elif request.asked_by == member:
            raise ExceptionRefused("Nobody decides about their own request.")
        made = ExceptionDecision.objects.create(
            request=request, kind=kind, asked_by=request.asked_by, decided_by=member, decided_at=moment
        )
        audit.record(actor=actor, act=_DECISION_ACTS[kind], purpose=f"exception {request.id} of {request.check_name}")
    return made


def attest(
    *,
    actor: Actor,
    clause_id: str,
    statement: str,
    document_title: str,
    document_sha256: str,
    issuer: str,
    valid_from: dt.date,
    expires_on: dt.date,
) -> Attestation:
    """Vouch for an inherited clause by somebody's report, until a day.

    Args:
        actor: a member of staff.
        clause_id: an inherited clause.
        statement: what the document says about it, in a sentence.
        document_title: such as “SOC 2 Type II, 2026”.
        document_sha256: its hash, in hex; the document itself lies where documents lie.
        issuer: who wrote it.
        valid_from: from when it counts; today or earlier.
        expires_on: from this day on it does not.

    Raises:
        AttestationRefused: a part is missing, or code could prove this clause and must.
    """
    if actor.kind != "staff" or actor.id is None:
        raise AttestationRefused("Only a member of staff vouches for something.")
    known = clauses().get(clause_id)
    if known is None or known.kind is not ClauseKind.INHERITED:
        raise AttestationRefused("Only what a vendor does for us is attested; everything else is checked.")
    if len(statement.strip()) < _SHORTEST_REASON or not document_title.strip() or not issuer.strip():
        raise AttestationRefused("Please say what is attested, by which document and whose.")
    if not _SHA256.fullmatch(document_sha256):
        raise AttestationRefused("Please give the document's SHA-256: 64 hex digits.")
    today = dates.today()
    if not valid_from <= today < expires_on <= valid_from + ATTESTATION_LONGEST:
        raise AttestationRefused("It counts from today or earlier, ends in the future, and lasts three years at most.")
    with transaction.atomic():
        made = Attestation.objects.create(
            clause_id=clause_id,
            statement=statement.strip(),
            document_title=document_title.strip(),
            document_sha256=document_sha256,
            issuer=issuer.strip(),
            valid_from=valid_from,
            expires_on=expires_on,
            attested_by=actor.id,
            attested_at=clock.now(),
        )
        audit.record(actor=actor, act=Act.ATTESTATION_RECORDED, purpose=f"{clause_id}: {document_sha256}")
    return made


__all__ = [
    "ask_exception",
    "attest",
    "checks_of",
    "decide_exception",
    "fields_of",
    "look_once",
    "verify",
]
