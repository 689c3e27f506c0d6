"""How log lines are written."""

import logging

from headshotly.orders.card_numbers import mask
from headshotly.policy.enforcement import enforces


@enforces("7.1.b")
class MaskedLines(logging.Formatter):
    """Writes log lines, tracebacks included, without card numbers: the last step before a line leaves the process."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return mask(super().format(record))
