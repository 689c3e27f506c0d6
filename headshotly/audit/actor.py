"""Who did it: a kind and a pseudonym, never a name or an address."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

type ActorKind = Literal["customer", "staff", "worker", "system", "visitor", "service"]


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts, as the journal knows them.

    Attributes:
        kind: which door they came through.
        id: their pseudonym; None only for ``system`` and ``visitor``.
        role: staff role or worker name at the moment of the act, empty otherwise.
    """

    kind: ActorKind
    id: UUID | None = None
    role: str = ""


SYSTEM = Actor(kind="system")
VISITOR = Actor(kind="visitor")
