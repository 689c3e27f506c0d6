"""Where a person in a breach lives, as far as the house knows; a room that learns it hands it in at the front door.

Accounts do not ask for it. The cash desk knows of whom every bill went outside the United States; everybody else is
unknown, and unknown counts as California: nobody is left out for that. Whoever is wrongly held to live elsewhere still
gets the letters of GDPR Art. 34, where those are owed.
"""

from collections.abc import Callable
from uuid import UUID

CALIFORNIA, ELSEWHERE, UNKNOWN = "california", "elsewhere", ""
type Ask = Callable[[UUID], str]
_ASK: list[Ask] = []


def known_by(ask: Ask) -> None:
    """Have somebody asked where a person lives.

    Args:
        ask: takes the pseudonym, returns ``california``, ``elsewhere`` or an empty text.
    """
    if ask not in _ASK:
        _ASK.append(ask)


def of(subject: UUID) -> str:
    """Return where somebody lives; empty where nobody knows."""
    return next((found for ask in _ASK if (found := ask(subject)) in {CALIFORNIA, ELSEWHERE}), UNKNOWN)
