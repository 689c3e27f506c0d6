"""How an entry becomes bytes: one canonical spelling, published in ``docs/formats/journal.md``."""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any, get_args
from uuid import UUID

from headshotly.audit.actor import Actor, ActorKind
from headshotly.audit.acts import Act, Outcome
from headshotly.audit.errors import JournalDamaged

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """What happened. Holds pseudonyms and hashes of ciphertext only, so that it may stay for ever.

    Attributes:
        entry_id: unique; makes sequencing idempotent.
        occurred_at: aware UTC, microseconds.
        actor: who did it.
        act: what they did.
        outcome: how it ended.
        subject: pseudonym of the data subject, if there is one.
        purpose: activity or reason.
        warrant_id: the warrant it was done under, if any.
        object_ids: sealed objects concerned.
        details_sha256: hash of the sealed details' ciphertext, empty where there are none.
    """

    entry_id: UUID
    occurred_at: dt.datetime
    actor: Actor
    act: Act
    outcome: Outcome = Outcome.DONE
    subject: UUID | None = None
    purpose: str = ""
    warrant_id: UUID | None = None
    object_ids: tuple[UUID, ...] = ()
    details_sha256: str = ""

    def encode(self) -> bytes:
        """Return the canonical bytes: JSON, keys sorted, no white space, UTF-8."""
        fields: dict[str, Any] = {
            "v": VERSION,
            "id": str(self.entry_id),
            "at": self.occurred_at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            "actor": {
                "kind": self.actor.kind,
                "id": str(self.actor.id) if self.actor.id else "",
                "role": self.actor.role,
            },
            "act": self.act.value,
            "outcome": self.outcome.value,
            "subject": str(self.subject) if self.subject else "",
            "purpose": self.purpose,
            "warrant": str(self.warrant_id) if self.warrant_id else "",
            "objects": [str(object_id) for object_id in self.object_ids],
            "details": self.details_sha256,
        }
        return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _uuid(text: str) -> UUID | None:
    return UUID(text) if text else None


def decode(data: bytes) -> Leaf:
    """Return the leaf of canonical bytes.

    Raises:
        JournalDamaged: the bytes are not the canonical spelling of a leaf.
    """
    try:
        fields = json.loads(data)
        leaf = Leaf(
            entry_id=UUID(fields["id"]),
            occurred_at=dt.datetime.fromisoformat(fields["at"]),
            actor=Actor(
                kind=fields["actor"]["kind"],
                id=_uuid(fields["actor"]["id"]),
                role=fields["actor"]["role"],
            ),
            act=Act(fields["act"]),
            outcome=Outcome(fields["outcome"]),
            subject=_uuid(fields["subject"]),
            purpose=fields["purpose"],
            warrant_id=_uuid(fields["warrant"]),
            object_ids=tuple(UUID(text) for text in fields["objects"]),
            details_sha256=fields["details"],
        )
        canonical = leaf.encode() == data and leaf.actor.kind in get_args(ActorKind.__value__)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise JournalDamaged("An entry of the journal cannot be read.") from error
    if not canonical:
        raise JournalDamaged("An entry of the journal is not spelled as the journal spells it.")
    return leaf


def sha256_hex(data: bytes) -> str:
    """Return the lowercase hex SHA-256 of data, or an empty text for no data."""
    return hashlib.sha256(data).hexdigest() if data else ""
