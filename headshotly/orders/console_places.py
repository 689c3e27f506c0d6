"""Where the console leads in this room."""

from headshotly.access.console import place
from headshotly.orders import selectors

place(
    label="Orders", view="orders-desk:orders", right="orders.read", group="Business",
    waiting=lambda _member: selectors.open_refunds().count(),
)  # fmt: skip
