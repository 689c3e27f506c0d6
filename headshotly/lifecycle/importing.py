"""Taking documents of scanners into the register (clauses 4.2.b and 4.3.b).

One transaction a document: a crash before its end leaves nothing of it, and the same file can be taken in again.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.lifecycle import bounded, documents, limits
from headshotly.lifecycle.errors import DocumentRefused
from headshotly.lifecycle.models import Finding, PenetrationTest, Proposal, Retest, Scan, Step
from headshotly.lifecycle.severity import Severity
from headshotly.lifecycle.sightings import Run, Sighting
from headshotly.lifecycle.states import Grading, Method, State, StepKind, Verdict
from headshotly.policy import clock, dates
from headshotly.policy.enforcement import enforces
from headshotly.policy.reference import new_reference

SKEW = dt.timedelta(minutes=5)
SUGGESTED = dt.timedelta(days=90)  # where a document accepts something and names no last day
DOCUMENT = UUID(int=0)  # asks for what a document tells of that the program itself took in


@dataclass(frozen=True, slots=True)
class _Document:
    """The file, and what whoever brings it says about it."""

    form: str
    raw: bytes
    commit: str
    method: Method | None
    test: PenetrationTest | None

    @property
    def sha256(self) -> str:
        """Return the file's hash, in hex; a file is taken in once."""
        return hashlib.sha256(self.raw).hexdigest()


@dataclass(slots=True)
class _Taking:
    """One run being taken in."""

    actor: Actor
    scan: Scan
    by_mark: dict[str, Finding] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


@enforces("4.2.b", "4.3.b")
def take_in(
    *, actor: Actor, raw: bytes, commit: str = "", method: Method | None = None, test: PenetrationTest | None = None
) -> list[Scan]:
    """Take one document in, and return a scan for each run it tells of; a document that is known changes nothing.

    Args:
        actor: who brings it.
        raw: the file, SARIF 2.1.0 or CycloneDX with vulnerabilities.
        commit: full hash of what was looked at, where the document does not say; both must agree.
        method: how the tool looks, where its name does not tell.
        test: the penetration test whose findings these are.

    Raises:
        DocumentRefused: it is no such document, holds more than we read, disagrees about the commit, or is dated ahead.
        LimitsRefused: the operator's limits make no sense.
    """
    form, runs = documents.read(raw)
    return _take_all(actor, runs, _Document(form, raw, bounded.commit(commit), method, test))


def take_run(*, actor: Actor, run: Run, form: str, raw: bytes, test: PenetrationTest | None = None) -> list[Scan]:
    """Take in what was read from a file of another form; as ``take_in`` otherwise."""
    return _take_all(actor, [run], _Document(form, raw, "", None, test))


def _take_all(actor: Actor, runs: list[Run], document: _Document) -> list[Scan]:
    digest = document.sha256
    try:
        with transaction.atomic():
            known = list(Scan.objects.filter(document_sha256=digest).order_by("number"))
            if known:
                return known
            return [_take(actor, run, number, document) for number, run in enumerate(runs)]
    except IntegrityError:
        # Another machine took the same file, or saw the same thing first; ours is rolled back whole.
        known = list(Scan.objects.filter(document_sha256=digest).order_by("number"))
        if known:
            return known
        raise DocumentRefused(
            "Another scan was being taken in at the same moment. Please take this one in again."
        ) from None


def _take(actor: Actor, run: Run, number: int, document: _Document) -> Scan:
    commit, test = document.commit, document.test
    if commit and run.commit and commit != run.commit:
        raise DocumentRefused(f"The document is about {run.commit[:12]}, not about {commit[:12]}.")
    now = clock.now()
    if run.ran_at is not None and run.ran_at > now + SKEW:
        raise DocumentRefused("The document is dated in the future: a clock is or was wrong.")
    scan = Scan.objects.create(
        tool=run.tool,
        version=run.version,
        scope=run.scope,
        method=Method.PENETRATION if test is not None else document.method or run.method,
        commit=run.commit or commit,
        form=document.form,
        document_sha256=document.sha256,
        number=number,
        ran_at=min(run.ran_at or now, now),
        succeeded=run.succeeded,
        imported_at=now,
        imported_by=actor.id,
        suppressed=run.suppressed,
        test=test,
    )
    taking = _Taking(actor, scan)
    _remember(taking, run)
    for sighting in run.sightings:
        _see(taking, sighting)
    if run.succeeded:
        _miss(taking, {one.fingerprint for one in run.sightings})
    Step.objects.bulk_create(taking.steps, batch_size=500)
    scan.seen = len(run.sightings)
    scan.save(update_fields=["seen", "fresh", "reopened", "missed"])
    audit.record(actor=actor, act=Act.SCAN_IMPORTED, purpose=f"{scan.method} {scan.id}")
    return scan


def _remember(taking: _Taking, run: Run) -> None:
    marks = [one.fingerprint for one in run.sightings]
    for start in range(0, len(marks), 500):
        found = Finding.objects.select_for_update().filter(fingerprint__in=marks[start : start + 500])
        taking.by_mark.update({one.fingerprint: one for one in found})


def _step(taking: _Taking, finding: Finding, kind: StepKind, words: str = "") -> None:
    taking.steps.append(
        Step(finding=finding, kind=kind, at=clock.now(), by=taking.actor.id, words=words, scan=taking.scan)
    )


def _see(taking: _Taking, sighting: Sighting) -> None:
    finding = taking.by_mark.get(sighting.fingerprint)
    if finding is None:
        finding = _enter(taking, sighting)
    else:
        _see_again(taking, finding, sighting)
    if sighting.note and not Step.objects.filter(finding=finding, kind=StepKind.NOTED, words=sighting.note).exists():
        _step(taking, finding, StepKind.NOTED, sighting.note)
    if sighting.accepted_until is not None and sighting.accepted_until > dates.today():
        _propose(taking, finding, sighting.note, sighting.accepted_until)


@enforces("4.3.b")
def _propose(taking: _Taking, finding: Finding, reason: str, until: dt.date) -> None:
    """Put an acceptance that a document tells of before somebody who decides: a file accepts nothing by itself.

    What was decided once, with the same reason and day, is not asked again at every scan.
    """
    last = min(until, dates.today() + (SUGGESTED if until == dt.date.max else limits.LONGEST_ACCEPTANCE))
    asked = Proposal.objects.filter(finding=finding)
    if finding.state != State.OPEN or asked.filter(decided_at__isnull=True).exists():
        return
    if asked.filter(reason=reason, until__gte=last if until != dt.date.max else dates.today()).exists():
        return
    Proposal.objects.create(
        finding=finding, verdict=Verdict.ACCEPT, reason=reason, until=last, asked_at=clock.now(),
        asked_by=taking.actor.id or DOCUMENT,
    )  # fmt: skip
    _step(taking, finding, StepKind.PROPOSED, f"{Verdict.ACCEPT.label}. {reason}")
    audit.record(actor=taking.actor, act=Act.FINDING_PROPOSED, purpose=f"{finding.reference} {Verdict.ACCEPT.value}")


def _enter(taking: _Taking, sighting: Sighting) -> Finding:
    scan, grade = taking.scan, sighting.grade
    made = Finding.objects.create(
        reference=new_reference("F"),
        fingerprint=sighting.fingerprint,
        method=scan.method,
        tool=scan.tool,
        scope=scan.scope,
        rule=sighting.rule,
        title=sighting.title,
        words=sighting.words,
        place=sighting.place,
        weaknesses=list(sighting.weaknesses),
        severity=grade.severity,
        grading=grade.grading,
        score=None if grade.score is None else f"{grade.score:.1f}",
        vector=grade.vector,
        first_seen_at=scan.ran_at,
        last_seen_at=scan.ran_at,
        last_commit=scan.commit,
        # The clock runs from the import: nobody could act on a document nobody had.
        clock_from=scan.imported_at,
        due_on=limits.due_on(scan.imported_at, grade.severity),
    )
    taking.by_mark[sighting.fingerprint] = made
    scan.fresh += 1
    _step(taking, made, StepKind.SEEN, f"by {scan.tool}, as {made.get_severity_display().lower()}")
    return made


def _see_again(taking: _Taking, finding: Finding, sighting: Sighting) -> None:
    """Bring a known finding up to date; an old document brought late changes nothing that a newer one said."""
    scan = taking.scan
    if scan.ran_at < finding.last_seen_at:
        return
    finding.last_seen_at, finding.last_commit, finding.missed_at = scan.ran_at, scan.commit, None
    finding.title, finding.words, finding.place = sighting.title, sighting.words, sighting.place
    _grade_again(taking, finding, sighting)
    if finding.state == State.FIXED and _contradicts(scan, finding):
        finding.state, finding.closed_at = State.OPEN, None
        finding.clock_from = scan.imported_at
        finding.due_on = limits.due_on(scan.imported_at, Severity(finding.severity))
        finding.alerted_on = finding.written_on = None
        scan.reopened += 1
        _step(taking, finding, StepKind.REOPENED, f"by {scan.tool}: it was closed as fixed and is there again")
        audit.record(actor=taking.actor, act=Act.FINDING_REOPENED, purpose=finding.reference)
    finding.save()


def _contradicts(scan: Scan, finding: Finding) -> bool:
    """Say whether a scan shows that what was closed is there again: it ran later, or on other code than what failed."""
    if finding.closed_at is None or scan.ran_at > finding.closed_at:
        return True
    retest = Retest.objects.filter(finding=finding).order_by("-recorded_at").first()
    return retest is None or (scan.ran_at > retest.passed_at and scan.commit != retest.failed_commit)


def _grade_again(taking: _Taking, finding: Finding, sighting: Sighting) -> None:
    """Follow a scan to a worse severity, never to a milder one: only a person, with a reason, gives more time."""
    grade = sighting.grade
    if finding.rated_by is not None or grade.severity.rank >= Severity(finding.severity).rank:
        return
    finding.severity, finding.grading, finding.vector = grade.severity, grade.grading, grade.vector
    finding.score = None if grade.score is None else Decimal(f"{grade.score:.1f}")
    finding.due_on = limits.due_on(finding.clock_from, grade.severity)
    _step(taking, finding, StepKind.GRADED, f"to {grade.severity.label.lower()} ({Grading(grade.grading).label})")


def _miss(taking: _Taking, seen: set[str]) -> None:
    """Say of what the same tool saw before, and did not see this time; it stays open until somebody retests it."""
    scan = taking.scan
    open_ones = Finding.objects.select_for_update().filter(
        tool=scan.tool, scope=scan.scope, state__in=[State.OPEN, State.ACCEPTED], last_seen_at__lt=scan.ran_at
    )
    for finding in open_ones:
        if finding.fingerprint in seen or (finding.missed_at is not None and finding.missed_at >= scan.ran_at):
            continue
        first = finding.missed_at is None
        finding.missed_at = scan.ran_at
        finding.save(update_fields=["missed_at"])
        scan.missed += 1
        if first:
            _step(taking, finding, StepKind.MISSED, f"{scan.tool} ran and did not see it; it stays open until retested")


def newest_sighting(finding_id: UUID) -> Scan | None:
    """Return the newest scan that wrote into a finding's history that it saw it."""
    step = (
        Step.objects.filter(finding_id=finding_id, kind__in=[StepKind.SEEN, StepKind.REOPENED], scan__isnull=False)
        .select_related("scan")
        .order_by("-at")
        .first()
    )
    return None if step is None else step.scan
