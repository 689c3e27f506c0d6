"""Whether a shoot may start and its headshots leave, and how it ended: asked and told here, answered by a room above.

Without anybody to answer, as in a terminal, everything may. A headshot's *piece* names its photo and style, so that
whoever answers can tell one that is made anew from one more.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol
from uuid import UUID


class Ended(Protocol):
    """Takes how a shoot ended, in the transaction that ends it."""

    def __call__(self, *, shoot_id: UUID, failed: bool, made: Collection[str]) -> None:
        """Take it."""


type Claim = Callable[[UUID, UUID, Sequence[str]], None]
type Leaving = Callable[[UUID, Collection[str]], None]

type Left = Callable[[UUID], int]

_claims: list[Claim] = []
_leaving: list[Leaving] = []
_ended: list[Ended] = []
_left: list[tuple[Left, str]] = []


def piece(photo_id: object, style_id: str) -> str:
    """Return the stable name of the headshot of a photo in a style."""
    return f"{photo_id}:{style_id}"


def when_starting(claim: Claim) -> None:
    """Have a room asked before a shoot starts.

    Args:
        claim: takes the subject, the shoot's id and the pieces; raises a ``Refusal`` to say no. Called in the
            transaction that starts the shoot.
    """
    if claim not in _claims:
        _claims.append(claim)


def when_delivering(leaving: Leaving) -> None:
    """Have a room asked before a headshot leaves in full size.

    Args:
        leaving: takes the shoot's id and the pieces; raises a ``Refusal`` to say no.
    """
    if leaving not in _leaving:
        _leaving.append(leaving)


def when_ended(ended: Ended) -> None:
    """Have a room told how a shoot ended."""
    if ended not in _ended:
        _ended.append(ended)


def when_asked(left: Left, *, more: str) -> None:
    """Have a room answer how many headshots a customer has left.

    Args:
        left: takes the subject.
        more: name of the page where there are more to be had.
    """
    if (left, more) not in _left:
        _left.append((left, more))


def left_of(subject: UUID) -> tuple[int, str] | None:
    """Return how many headshots somebody has left and the name of the page for more; None where nobody counts."""
    return min(((left(subject), more) for left, more in _left), default=None)


def require(subject: UUID, shoot_id: UUID, pieces: Sequence[str]) -> None:
    """Claim headshots for a shoot; raises what the room above raises."""
    for claim in _claims:
        claim(subject, shoot_id, pieces)


def deliver(shoot_id: UUID, pieces: Collection[str]) -> None:
    """Say that headshots are about to leave in full size; raises what the room above raises."""
    for leaving in _leaving:
        leaving(shoot_id, pieces)


def ended(shoot_id: UUID, *, failed: bool, made: Collection[str]) -> None:
    """Say how a shoot ended.

    Args:
        shoot_id: which.
        failed: whether that was our fault; one that is done, or was stopped by its owner, did not fail.
        made: the pieces that exist.
    """
    for told in _ended:
        told(shoot_id=shoot_id, failed=failed, made=made)
