"""Where the console leads in this room."""

from headshotly.access import desk, personnel, reviews
from headshotly.access.console import place
from headshotly.access.models import StaffMember
from headshotly.policy import clock


def _grants(member: StaffMember) -> int:
    glass = [one for one in desk.unreviewed_glass() if one.member_id != member.id] if desk.reviews_glass(member) else []
    return len(desk.requests_for(member)) + len(glass)


def _review(_member: StaffMember) -> int:
    due = reviews.due_at()
    return int(due is not None and due <= clock.now())


place(label="Desk", view="access:desk", right="", group="Today")
place(label="Grants", view="access:grants", right="", group="Today", waiting=_grants)
place(label="Find a customer", view="access:customers", right="customers.find", group="Customers")
place(
    label="People", view="access:people", right="people.read", group="House",
    waiting=lambda _member: len(desk.people_with_gaps()),
)  # fmt: skip
place(label="Access review", view="access:review", right="rights.review", group="House", waiting=_review)
place(label="Service accounts", view="access:machines", right="machines.read", group="House")
place(
    label="Confidentiality", view="access:agreement", right="", group="House",
    waiting=lambda member: int(not personnel.has_signed(member)),
)  # fmt: skip
