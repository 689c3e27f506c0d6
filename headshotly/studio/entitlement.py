"""Whether a shoot may start, and that something of it was downloaded: asked and told here, answered by a room above.

Without anybody to answer, as in a terminal, everything may start.
"""

from collections.abc import Callable
from uuid import UUID

type Claim = Callable[[UUID, UUID, int], None]
type Downloaded = Callable[[UUID], None]

_claims: list[Claim] = []
_downloads: list[Downloaded] = []


def ask(claim: Claim) -> None:
    """Have a room asked before a shoot starts.

    Args:
        claim: takes the subject, the shoot's id and the number of headshots; raises a ``Refusal`` to say no. Called
            in the transaction that starts the shoot.
    """
    if claim not in _claims:
        _claims.append(claim)


def tell(downloaded: Downloaded) -> None:
    """Have a room told of a download, before its bytes leave.

    Args:
        downloaded: takes the shoot's id.
    """
    if downloaded not in _downloads:
        _downloads.append(downloaded)


def require(subject: UUID, shoot_id: UUID, headshots: int) -> None:
    """Claim headshots for a shoot; raises what the room above raises."""
    for claim in _claims:
        claim(subject, shoot_id, headshots)


def note_download(shoot_id: UUID) -> None:
    """Say that something of a shoot is about to be downloaded."""
    for told in _downloads:
        told(shoot_id)
