"""Where the console leads in this room."""

from headshotly.access.console import place
from headshotly.incidents import breach_selectors, case_selectors, exercises, oncall, selectors
from headshotly.policy import clock


def _breaches() -> int:
    return sum(line.next is not None for line in breach_selectors.lines()) + breach_selectors.approvals_waiting()


place(
    label="Alerts", view="watch:alerts", right="incidents.read", group="Safety",
    waiting=lambda _member: len(selectors.open_alerts()),
)  # fmt: skip
place(label="Events", view="watch:events", right="incidents.read", group="Safety")
place(
    label="Cases", view="incidents:cases", right="incidents.read", group="Safety",
    waiting=lambda member: case_selectors.waiting_for(member.id),
)  # fmt: skip
place(
    label="Breaches", view="incidents:breaches", right="incidents.read", group="Safety",
    waiting=lambda _member: _breaches(),
)  # fmt: skip
place(
    label="On call", view="incidents:on-call", right="incidents.read", group="Safety",
    waiting=lambda _member: len(oncall.uncovered(at=clock.now())),
)  # fmt: skip
place(
    label="Exercises", view="incidents:exercises", right="incidents.read", group="Safety",
    waiting=lambda _member: int(exercises.is_due()),
)  # fmt: skip
place(label="Incident plan", view="incidents:plan", right="incidents.read", group="Safety")
