"""Where the console leads in this room."""

from headshotly.access.console import place
from headshotly.purposes import assessments, risks
from headshotly.rights import queue
from headshotly.vendors import selectors as vendors

place(
    label="Requests", view="rights-staff:queue", right="requests.read", group="Privacy",
    waiting=lambda _member: len(queue.waiting()),
)  # fmt: skip
place(label="Record of processing", view="rights-staff:record", right="governance.read", group="Privacy")
place(
    label="Impact assessments", view="rights-staff:assessments", right="governance.read", group="Privacy",
    waiting=lambda member: assessments.waiting_for(member.id, decides=member.role == assessments.DPO_ROLE),
)  # fmt: skip
place(
    label="Risks", view="rights-staff:risks", right="governance.read", group="Privacy",
    waiting=lambda _member: len(risks.unaccepted()),
)  # fmt: skip
place(label="Documents", view="rights-staff:documents", right="governance.read", group="Privacy")
place(
    label="Vendors", view="rights-staff:vendors", right="vendors.read", group="House",
    waiting=lambda member: vendors.waiting_for(f"staff:{member.id}"),
)  # fmt: skip
