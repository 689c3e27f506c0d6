"""Reading cases: what waits, what is past its clock, what a page shows."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from headshotly.access import grants, members
from headshotly.access.errors import NotFound as NoSuchMember
from headshotly.access.models import Grant
from headshotly.incidents import phases, timeline
from headshotly.incidents.models import Case, CaseAlert
from headshotly.incidents.phases import Due, Origin, Phase, Severity
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces

SOON = dt.timedelta(hours=24)
_LAST_PART = 4  # a clock shorter than four days is near its end in its last quarter: a new one never is


@dataclass(frozen=True, slots=True)
class Line:
    """A case with its next clock, for lists.

    Attributes:
        case: the row.
        due: what it must reach next, None where it is closed.
        left: time to the clock; negative when it is over, None where there is none.
        owner: handle of who owns it, empty where nobody does.
    """

    case: Case
    due: Due | None
    left: dt.timedelta | None
    owner: str

    @property
    def late(self) -> bool:
        """Say whether its clock is over."""
        return self.left is not None and self.left < dt.timedelta(0)

    @property
    def soon(self) -> bool:
        """Say whether its clock is over, or near its end: within a day, and in the last quarter of its time."""
        if self.due is None or self.left is None:
            return False
        return self.left < min(SOON, (self.due.at - self.case.opened_at) / _LAST_PART)


def due_of(case: Case) -> Due | None:
    """Return what a case must reach next and until when."""
    return phases.due(
        severity=Severity(case.severity),
        phase=Phase(case.phase),
        opened_at=case.opened_at,
        acknowledged_at=case.acknowledged_at,
    )


def handle_of(member_id: UUID | None) -> str:
    """Return a member's handle, empty for nobody; somebody who left is named by the beginning of their id."""
    if member_id is None:
        return ""
    try:
        return members.by_id(member_id).handle
    except NoSuchMember:
        return f"left ({str(member_id)[:8]})"


def line_of(case: Case) -> Line:
    """Return a case with its next clock."""
    due = due_of(case)
    return Line(case, due, due.at - clock.now() if due else None, handle_of(case.owner))


def open_lines() -> list[Line]:
    """Return every case that is not closed, the most urgent clock first."""
    found = [line_of(case) for case in Case.objects.exclude(phase=Phase.CLOSED)]
    return sorted(found, key=lambda line: (line.left or dt.timedelta.max, line.case.number))


def closed_cases(*, limit: int = 50) -> list[Case]:
    """Return the newest closed cases."""
    return list(Case.objects.filter(phase=Phase.CLOSED).order_by("-closed_at")[:limit])


@enforces("5.3.b", "8.1.a-b")
def late() -> list[Line]:
    """Return the cases past their clock, exercises left out; clause 5.3.b holds only while there are none."""
    return [line for line in open_lines() if line.late and not line.case.is_exercise]


def real_cases() -> list[Case]:
    """Return every case that is no exercise, by number."""
    return list(Case.objects.exclude(origin=Origin.EXERCISE).order_by("number"))


def is_altered(case: Case) -> bool:
    """Say whether a case's timeline is not what the journal says was written."""
    return bool(timeline.altered(case))


def waiting_for(member_id: UUID) -> int:
    """Return how many cases wait for a member: nobody has taken them, or they are theirs and soon over."""
    lines = open_lines()
    return sum(one.case.acknowledged_at is None or (one.case.owner == member_id and one.soon) for one in lines)


def alerts_of(case: Case) -> list[CaseAlert]:
    """Return a case's alerts, oldest first."""
    return list(CaseAlert.objects.select_related("alert").filter(case=case).order_by("added_at"))


def grants_of(case: Case) -> list[tuple[Grant, str]]:
    """Return the grants whose ticket names a case, newest first, each with where it stands."""
    moment = clock.now()
    found = Grant.objects.select_related("member").filter(ticket__iexact=case.reference).order_by("-asked_at")
    return [(grant, grants.state(grant, moment).value) for grant in found]
