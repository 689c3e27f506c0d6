"""Reading the register, for pages, commands and checks."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from headshotly.lifecycle.errors import NotFound
from headshotly.lifecycle.models import Finding, PenetrationTest, Proposal, Release, Retest, Scan, Step
from headshotly.lifecycle.severity import Severity
from headshotly.lifecycle.states import Method, State, StepKind
from headshotly.policy import dates
from headshotly.policy.enforcement import enforces

MOST_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which findings to list; empty means all.

    Attributes:
        state: ``State`` value, or ``overdue``.
        severity: value.
        method: value.
        owner: id of a member, or ``nobody``.
    """

    state: str = ""
    severity: str = ""
    method: str = ""
    owner: str = ""


def _past(today: dt.date) -> Q:
    open_ones = Q(state=State.OPEN) | Q(state=State.ACCEPTED, accepted_until__lt=today)
    return open_ones & Q(due_on__lt=today) & ~Q(severity=Severity.NONE)


@enforces("4.3.b")
def overdue() -> list[Finding]:
    """Return the open findings past their limit, the longest first; clause 4.3.b holds only while there are none."""
    return list(Finding.objects.filter(_past(dates.today())).select_related("owner").order_by("due_on", "reference"))


def overdue_count() -> int:
    """Return how many findings are past their limit; the public may know the number."""
    return Finding.objects.filter(_past(dates.today())).count()


def total() -> int:
    """Return how many findings with a limit were ever entered."""
    return Finding.objects.exclude(severity=Severity.NONE).count()


def findings(wanted: Wanted) -> list[Finding]:
    """Return findings, what must be fixed first in front; at most ``MOST_SHOWN``."""
    found: QuerySet[Finding] = Finding.objects.select_related("owner")
    if wanted.state == "overdue":
        found = found.filter(_past(dates.today()))
    elif wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.severity:
        found = found.filter(severity=wanted.severity)
    if wanted.method:
        found = found.filter(method=wanted.method)
    if wanted.owner == "nobody":
        found = found.filter(owner__isnull=True)
    elif wanted.owner:
        found = found.filter(owner_id=_uuid(wanted.owner))
    return list(found.order_by("due_on", "reference")[:MOST_SHOWN])


def _uuid(said: str) -> UUID:
    try:
        return UUID(said)
    except ValueError:
        raise NotFound("There is no such member of staff.") from None


def counts() -> dict[str, int]:
    """Return how many findings stand in each state, and how many are overdue."""
    found = {state.value: Finding.objects.filter(state=state).count() for state in State}
    return {**found, "overdue": overdue_count()}


def by_reference(reference: str) -> Finding:
    """Return a finding.

    Raises:
        NotFound: there is none.
    """
    found = Finding.objects.select_related("owner").filter(reference=reference.strip().upper()).first()
    if found is None:
        raise NotFound("There is no such finding.")
    return found


def history(finding: Finding) -> list[Step]:
    """Return what happened to a finding, oldest first."""
    return list(Step.objects.filter(finding=finding).select_related("scan").order_by("at", "id"))


def retests(finding: Finding) -> list[Retest]:
    """Return the retests that closed a finding, newest first."""
    return list(Retest.objects.filter(finding=finding).order_by("-recorded_at"))


def waiting_proposal(finding: Finding) -> Proposal | None:
    """Return what somebody proposed about a finding and nobody has decided."""
    return Proposal.objects.filter(finding=finding, decided_at__isnull=True).first()


def waiting_proposals() -> list[Proposal]:
    """Return everything somebody proposed and nobody has decided, oldest first."""
    return list(Proposal.objects.filter(decided_at__isnull=True).select_related("finding").order_by("asked_at"))


def scans(most: int = 30) -> list[Scan]:
    """Return the newest scans."""
    return list(Scan.objects.order_by("-ran_at", "tool")[:most])


@enforces("4.2.b")
def newest_scans(commit: str, method: Method) -> list[Scan]:
    """Return the newest scan by each tool and scope of one method, on one commit.

    Args:
        commit: full hash.
        method: how the tools look.
    """
    newest: dict[tuple[str, str], Scan] = {}
    for one in Scan.objects.filter(commit=commit, method=method).order_by("-ran_at", "-imported_at"):
        newest.setdefault((one.tool, one.scope), one)
    return [newest[key] for key in sorted(newest)]


def last_missed(finding: Finding) -> Step | None:
    """Return the newest step that says a scan no longer saw it, where that is still so."""
    if finding.missed_at is None:
        return None
    return Step.objects.filter(finding=finding, kind=StepKind.MISSED).order_by("-at").first()


@dataclass(frozen=True, slots=True)
class TestShown:
    """A penetration test as its page shows it.

    Attributes:
        test: the row.
        found: how many findings it brought into the register, or opened again.
        left: how many of them are neither fixed nor found to be none.
        waits: its day is over, and its report is not here.
    """

    test: PenetrationTest
    found: int
    left: int
    waits: bool


def tests() -> list[TestShown]:
    """Return every penetration test, the newest plan first, with what became of its findings."""
    today = dates.today()
    return [_test(one, today) for one in PenetrationTest.objects.order_by("-planned_on", "-planned_at")]


def _test(one: PenetrationTest, today: dt.date) -> TestShown:
    found = Finding.objects.filter(id__in=Step.objects.filter(scan__test=one).values("finding"))
    waits = one.reported_at is None and one.cancelled_at is None and one.planned_on < today
    return TestShown(one, found.count(), found.filter(state__in=[State.OPEN, State.ACCEPTED]).count(), waits)


def releases(most: int = 100) -> list[Release]:
    """Return the releases, newest first."""
    return list(Release.objects.select_related("author", "reviewer").order_by("-recorded_at")[:most])


def release_of(commit: str) -> Release | None:
    """Return the release of a commit."""
    return Release.objects.select_related("author", "reviewer").filter(commit=commit).first()
