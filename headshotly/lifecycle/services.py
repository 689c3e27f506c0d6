"""The verbs of a finding: owned, rated, proposed, decided, closed as fixed (clause 4.3.b)."""

import datetime as dt
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction

from headshotly.access import members
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.lifecycle import bounded, junit, limits, severity
from headshotly.lifecycle.errors import Incomplete, NotFound, RetestRefused, StepRefused
from headshotly.lifecycle.junit import TestRun
from headshotly.lifecycle.models import Finding, Proposal, Retest, Scan, Step
from headshotly.lifecycle.severity import Severity
from headshotly.lifecycle.states import Method, State, StepKind, Verdict
from headshotly.policy import clock, dates
from headshotly.policy.enforcement import enforces

SHORTEST_REASON = 20
LONGEST_REASON = 2000


def by_staff(actor: Actor) -> UUID:
    """Return who acts, who must be a member of staff.

    Raises:
        StepRefused: it is somebody or something else.
    """
    if actor.kind != "staff" or actor.id is None:
        raise StepRefused("Only a member of staff does this.")
    return actor.id


def require_reason(said: str) -> str:
    """Return a reason somebody else can judge.

    Raises:
        Incomplete: it is too short for that, or far too long.
    """
    words = said.strip()
    if not SHORTEST_REASON <= len(words) <= LONGEST_REASON:
        raise Incomplete(f"Please give the reason in {SHORTEST_REASON} to {LONGEST_REASON} characters.")
    return words


def _locked(finding_id: UUID) -> Finding:
    found = Finding.objects.select_for_update().filter(id=finding_id).first()
    if found is None:
        raise NotFound("There is no such finding.")
    return found


def _unsettled(finding_id: UUID) -> Finding:
    found = _locked(finding_id)
    if found.state not in {State.OPEN, State.ACCEPTED}:
        raise StepRefused("This finding is closed.")
    return found


def _step(finding: Finding, kind: StepKind, *, by: UUID | None, words: str) -> None:
    Step.objects.create(finding=finding, kind=kind, at=clock.now(), by=by, words=words)


@enforces("4.3.b")
def assign(*, actor: Actor, finding_id: UUID, owner_id: UUID) -> None:
    """Give a finding to an owner.

    Raises:
        NotFound: there is no such finding or active member.
        StepRefused: it is closed.
    """
    by, owner = by_staff(actor), members.by_id(owner_id)
    with transaction.atomic():
        finding = _unsettled(finding_id)
        finding.owner = owner
        finding.save(update_fields=["owner"])
        _step(finding, StepKind.ASSIGNED, by=by, words=owner.handle)
        audit.record(actor=actor, act=Act.FINDING_ASSIGNED, purpose=finding.reference)


@enforces("4.3.b")
def rate(*, actor: Actor, finding_id: UUID, vector: str, reason: str) -> None:
    """Rate a finding by a CVSS vector; its limit counts from when its clock began.

    Args:
        actor: not the finding's owner, who would set their own limit.
        finding_id: which.
        vector: CVSS 3.1 or 4.0.
        reason: why, in words.

    Raises:
        VectorRefused: it is no vector.
        Incomplete: there is no reason.
        StepRefused: it is closed, or is one's own.
    """
    by, grade, why = by_staff(actor), severity.of_vector(vector), require_reason(reason)
    with transaction.atomic():
        finding = _unsettled(finding_id)
        if finding.owner_id == by:
            raise StepRefused("Whoever must fix a finding does not set their own limit; ask somebody else to rate it.")
        before = finding.get_severity_display()
        finding.severity, finding.grading, finding.vector = grade.severity, grade.grading, grade.vector
        finding.score = None if grade.score is None else Decimal(f"{grade.score:.1f}")
        finding.rated_by, finding.due_on = by, limits.due_on(finding.clock_from, grade.severity)
        finding.save()
        words = f"{before} → {grade.severity.label}, {grade.vector}. {why}"
        _step(finding, StepKind.RATED, by=by, words=words)
        audit.record(actor=actor, act=Act.FINDING_RATED, purpose=f"{finding.reference} {grade.severity.value}")


@enforces("4.3.b")
def propose(*, actor: Actor, finding_id: UUID, verdict: Verdict, reason: str, until: dt.date | None = None) -> Proposal:
    """Ask that an open finding be left as it is; it stays open until somebody else agrees.

    Args:
        actor: who asks.
        finding_id: which.
        verdict: accept it for a time, or find that it is none.
        reason: why.
        until: last day of an acceptance, a year ahead at most.

    Raises:
        Incomplete: there is no reason, or no sensible end.
        StepRefused: it is closed, or somebody has asked already.
    """
    by, why, today = by_staff(actor), require_reason(reason), dates.today()
    if verdict is Verdict.ACCEPT and (until is None or not today < until <= today + limits.LONGEST_ACCEPTANCE):
        raise Incomplete("An acceptance ends on a day within a year from now.")
    try:
        with transaction.atomic():
            finding = _unsettled(finding_id)
            made = Proposal.objects.create(
                finding=finding,
                verdict=verdict,
                reason=why,
                until=until if verdict is Verdict.ACCEPT else None,
                asked_by=by,
                asked_at=clock.now(),
            )
            _step(finding, StepKind.PROPOSED, by=by, words=f"{verdict.label}. {why}")
            audit.record(actor=actor, act=Act.FINDING_PROPOSED, purpose=f"{finding.reference} {verdict.value}")
    except IntegrityError as error:
        raise StepRefused("Somebody proposed something about this finding already; decide that first.") from error
    return made


@enforces("4.3.b")
def decide(*, actor: Actor, proposal_id: UUID, agreed: bool) -> None:
    """Agree to somebody else's proposal, or refuse it.

    Raises:
        NotFound: there is no such proposal.
        StepRefused: it is decided or one's own, the finding is closed meanwhile, or the acceptance would be over.
    """
    by = by_staff(actor)
    with transaction.atomic():
        proposal = Proposal.objects.select_for_update().filter(id=proposal_id).first()
        if proposal is None:
            raise NotFound("There is no such proposal.")
        if proposal.decided_at is not None:
            raise StepRefused("This proposal is decided.")
        if proposal.asked_by == by:
            raise StepRefused("Somebody else decides about a proposal.")
        if agreed and proposal.until is not None and proposal.until <= dates.today():
            raise StepRefused("The acceptance would have ended by now. Please refuse it.")
        finding = _unsettled(proposal.finding_id)
        proposal.decided_by, proposal.decided_at, proposal.agreed = by, clock.now(), agreed
        proposal.save()
        if agreed:
            _leave_as_it_is(actor, finding, proposal)
        else:
            _step(finding, StepKind.REFUSED, by=by, words=Verdict(proposal.verdict).label)
            audit.record(actor=actor, act=Act.FINDING_PROPOSAL_REFUSED, purpose=finding.reference)


def _leave_as_it_is(actor: Actor, finding: Finding, proposal: Proposal) -> None:
    if proposal.verdict == Verdict.ACCEPT:
        finding.state, finding.accepted_until = State.ACCEPTED, proposal.until
        kind, act, words = StepKind.ACCEPTED, Act.FINDING_ACCEPTED, f"until {proposal.until}. {proposal.reason}"
    else:
        finding.state, finding.closed_at = State.FALSE_POSITIVE, clock.now()
        kind, act, words = StepKind.DISMISSED, Act.FINDING_DISMISSED, proposal.reason
    finding.alerted_on = finding.written_on = None
    finding.save()
    _step(finding, kind, by=actor.id, words=words)
    audit.record(actor=actor, act=act, purpose=finding.reference)


@enforces("4.3.b")
def close_as_fixed(
    *,
    actor: Actor,
    finding_id: UUID,
    test: str,
    failed: bytes,
    failed_commit: str,
    passed: bytes,
    passed_commit: str,
) -> Retest:
    """Close a finding by a named test that failed before and passes now; both runs are recorded.

    Args:
        actor: who retested.
        finding_id: which.
        test: pytest's id of the test.
        failed: JUnit XML of the run in which it failed.
        failed_commit: full hash of what that ran on.
        passed: JUnit XML of the run in which it passes.
        passed_commit: full hash of what that ran on.

    Raises:
        RetestRefused: the runs do not show it.
        DocumentRefused: a run is no JUnit XML.
        StepRefused: it is closed.
    """
    by = by_staff(actor)
    before, after = junit.look_up(failed, test), junit.look_up(passed, test)
    first, second = _commit_of(before, failed_commit), _commit_of(after, passed_commit)
    if before.outcome != "failed":
        raise RetestRefused(f"In the first run the test did not fail: it {_ended(before.outcome)}.")
    if after.outcome != "passed":
        raise RetestRefused(f"In the second run the test did not pass: it {_ended(after.outcome)}.")
    _require_order(before.at, after.at, first, second)
    with transaction.atomic():
        finding = _unsettled(finding_id)
        if after.at <= finding.last_seen_at:
            raise RetestRefused("A scan saw it after the test passed. Run the test again on what there is now.")
        made = Retest.objects.create(
            finding=finding,
            test=test.strip()[:300],
            failed_at=before.at,
            failed_commit=first,
            failed_sha256=before.sha256,
            failed_words=before.message,
            passed_at=after.at,
            passed_commit=second,
            passed_sha256=after.sha256,
            recorded_by=by,
            recorded_at=clock.now(),
        )
        _close(actor, finding, made)
    return made


@enforces("4.3.b")
def close_by_scans(*, actor: Actor, finding_id: UUID) -> Retest:
    """Close a finding about a component by the scanner itself: it saw it on one commit, and not on a later one.

    For code and the running service a test is asked for: a scanner also falls silent when code merely moves.

    Raises:
        StepRefused: it is closed, or not about a component.
        RetestRefused: no later, complete scan of another commit missed it.
    """
    by = by_staff(actor)
    with transaction.atomic():
        finding = _unsettled(finding_id)
        if finding.method not in {Method.DEPENDENCIES, Method.LICENCES}:
            raise StepRefused("Only a finding about a component is retested by its scanner; name a test.")
        like_it = Scan.objects.filter(tool=finding.tool, scope=finding.scope, succeeded=True).exclude(commit="")
        saw = like_it.filter(ran_at=finding.last_seen_at, commit=finding.last_commit).first()
        missed = like_it.filter(ran_at__gt=finding.last_seen_at).exclude(commit=finding.last_commit).order_by("-ran_at")
        newest = missed.first() if finding.missed_at is not None else None
        if saw is None or newest is None:
            raise RetestRefused(f"No complete scan by {finding.tool} of a later commit has missed it yet.")
        made = Retest.objects.create(
            finding=finding,
            test=f"{finding.tool}: {finding.rule}",
            failed_at=saw.ran_at,
            failed_commit=saw.commit,
            failed_sha256=saw.document_sha256,
            failed_words=finding.title,
            passed_at=newest.ran_at,
            passed_commit=newest.commit,
            passed_sha256=newest.document_sha256,
            recorded_by=by,
            recorded_at=clock.now(),
        )
        _close(actor, finding, made)
    return made


def _ended(outcome: str) -> str:
    return {"passed": "passed", "failed": "failed", "error": "broke down before it could", "skipped": "was skipped"}[
        outcome
    ]


def _commit_of(run: TestRun, said: str) -> str:
    commit = bounded.commit(said)
    if not commit:
        raise RetestRefused("Please name the commit of both runs.")
    if run.commit and run.commit != commit:
        raise RetestRefused(f"The run says that it ran on {run.commit[:12]}, not on {commit[:12]}.")
    return commit


def _require_order(failed_at: dt.datetime, passed_at: dt.datetime, failed_commit: str, passed_commit: str) -> None:
    if failed_commit == passed_commit:
        raise RetestRefused("Both runs name the same commit, so nothing was fixed between them.")
    if passed_at <= failed_at:
        raise RetestRefused("The test passed before it failed; the runs are the wrong way round.")
    if passed_at > clock.now():
        raise RetestRefused("The second run is dated in the future: a clock is or was wrong.")


def _close(actor: Actor, finding: Finding, retest: Retest) -> None:
    finding.state, finding.closed_at, finding.accepted_until = State.FIXED, clock.now(), None
    finding.save()
    # What somebody proposed about it has no object any more.
    Proposal.objects.filter(finding=finding, decided_at__isnull=True).delete()
    words = f"{retest.test} failed on {retest.failed_commit[:12]} and passes on {retest.passed_commit[:12]}"
    _step(finding, StepKind.FIXED, by=actor.id, words=words)
    audit.record(actor=actor, act=Act.FINDING_FIXED, purpose=finding.reference)


@enforces("4.3.b")
def end_acceptances() -> int:
    """Open again what was accepted until yesterday; its limit still counts from its first day.

    Returns:
        How many.
    """
    ended = 0
    for finding_id in Finding.objects.filter(state=State.ACCEPTED, accepted_until__lt=dates.today()).values_list(
        "id", flat=True
    ):
        with transaction.atomic():
            finding = _locked(finding_id)
            if finding.state != State.ACCEPTED or finding.accepted_until is None:
                continue
            until, finding.state, finding.accepted_until = finding.accepted_until, State.OPEN, None
            finding.save()
            _step(finding, StepKind.ENDED, by=None, words=f"It was accepted until {until}.")
            audit.record(actor=SYSTEM, act=Act.FINDING_ACCEPTANCE_ENDED, purpose=finding.reference)
            ended += 1
    return ended


def is_overdue(finding: Finding, today: dt.date) -> bool:
    """Say whether a finding is past its limit; an acceptance that ran out protects nothing any more."""
    if finding.due_on is None or finding.due_on >= today or finding.severity == Severity.NONE:
        return False
    if finding.state == State.OPEN:
        return True
    return finding.state == State.ACCEPTED and finding.accepted_until is not None and finding.accepted_until < today
