"""What else goes when a customer leaves, and what a law keeps; rooms above add to it through the front door."""

from collections.abc import Callable
from uuid import UUID

type Erase = Callable[[UUID], None]
type Kept = Callable[[UUID], list[str]]

_ERASERS: list[Erase] = []
_KEPT: list[Kept] = []


def when_leaving(erase: Erase) -> None:
    """Have a room's rows removed in the transaction that removes the account.

    Args:
        erase: takes the pseudonym; safe to call again.
    """
    if erase not in _ERASERS:
        _ERASERS.append(erase)


def named_as_kept(kept: Kept) -> None:
    """Have what a law keeps named in the signed receipt.

    Args:
        kept: takes the pseudonym, returns one sentence each, such as an invoice number and the law.
    """
    if kept not in _KEPT:
        _KEPT.append(kept)


def erase_above(subject: UUID) -> None:
    """Remove what the rooms above hold about somebody."""
    for erase in _ERASERS:
        erase(subject)


def kept_by_law(subject: UUID) -> list[str]:
    """Return what is kept of somebody in spite of the deletion, one sentence each."""
    return [sentence for kept in _KEPT for sentence in kept(subject)]
