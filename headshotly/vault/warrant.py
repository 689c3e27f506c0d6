"""A warrant: who may open whose sealed data, for what purpose, until when."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from headshotly.audit.actor import Actor


@dataclass(frozen=True, slots=True)
class Warrant:
    """Permission to open sealed data of one data subject (architecture.md, idea 1).

    Made only by ``vault.minting.mint``, which import-linter lets only ``access`` call; ``mac`` proves it.

    Attributes:
        id: unique, named in the journal entry of every opening under this warrant.
        actor: who opens.
        subject: pseudonym of the data subject whose data may be opened.
        purpose: activity or reason, such as ``owner-view``, ``generate``, ``support``.
        basis: what justified it, such as ``session:…``, ``job:…``, ``grant:…``.
        expires_at: aware UTC; at or after this moment the vault refuses.
        mac: HMAC-SHA-256 over all of the above under the key service's warrant key.
    """

    id: UUID
    actor: Actor
    subject: UUID
    purpose: str
    basis: str
    expires_at: dt.datetime
    mac: bytes
