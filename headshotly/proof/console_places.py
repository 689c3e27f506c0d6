"""Where the console leads in this room."""

from headshotly.access.console import place
from headshotly.proof import waiting

place(
    label="Weaknesses", view="weaknesses:queue", right="weaknesses.read", group="Safety",
    waiting=lambda _member: len(waiting.open_reports()),
)  # fmt: skip
