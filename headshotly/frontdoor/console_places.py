"""Where the console leads in this room."""

from headshotly.access.console import place
from headshotly.frontdoor import budgets

place(
    label="Service", view="objectives", right="service.read", group="House",
    waiting=lambda _member: budgets.firing(),
)  # fmt: skip
