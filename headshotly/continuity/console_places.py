"""Where the console leads in this room."""

from headshotly.access.console import place
from headshotly.continuity import selectors

place(
    label="Continuity", view="continuity:overview", right="continuity.read", group="Safety",
    waiting=lambda _member: sum(not one.good for one in selectors.standings()),
)  # fmt: skip
