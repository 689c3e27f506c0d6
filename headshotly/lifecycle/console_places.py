"""Where the console leads in this room."""

from headshotly.access.console import place
from headshotly.access.models import StaffMember
from headshotly.lifecycle import penetration, selectors, training
from headshotly.policy import dates


def _findings(member: StaffMember) -> int:
    waits = sum(one.asked_by != member.id for one in selectors.waiting_proposals())
    return waits + selectors.overdue_count()


def _tests(_member: StaffMember) -> int:
    due, plan = penetration.due_on(), penetration.next_plan()
    late_plan = plan is not None and plan.planned_on < dates.today()
    return int(late_plan or due is None or due < dates.today())


def _releases(member: StaffMember) -> int:
    return sum(one.reviewer_id is None and one.author_id != member.id for one in selectors.releases())


place(label="Findings", view="lifecycle:findings", right="findings.read", group="Safety", waiting=_findings)
place(label="Penetration tests", view="lifecycle:tests", right="findings.read", group="Safety", waiting=_tests)
place(label="Releases", view="lifecycle:releases", right="findings.read", group="Safety", waiting=_releases)
place(
    label="Trainings", view="lifecycle:trainings", right="people.read", group="House",
    waiting=lambda _member: sum(not one.current for one in training.standings()),
)  # fmt: skip
