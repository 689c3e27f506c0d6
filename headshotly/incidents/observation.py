"""One thing a source saw: native fields for the rules, OCSF to keep, and the bytes as they came."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from headshotly.incidents.flattening import Fields
from headshotly.incidents.rulebook import LogSource

RAW_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One normalised event.

    Attributes:
        source: which of ``sources`` it came from.
        native_id: the source's own id; two deliveries of one event have the same.
        occurred_at: aware UTC, the source's clock.
        log_source: for the rules.
        fields: native names and values, flat.
        ocsf: the event as OCSF.
        raw: the bytes it came as.
        act: what was done, in the source's words.
        outcome: ``success``, ``failure`` or empty.
        actor: ``kind:pseudonym``, or whoever the source names.
        address: network address or its pseudonym.
        subject: the data subject concerned.
    """

    source: str
    native_id: str
    occurred_at: dt.datetime
    log_source: LogSource
    fields: Fields
    ocsf: dict[str, Any]
    raw: bytes
    act: str = ""
    outcome: str = ""
    actor: str = ""
    address: str = ""
    subject: UUID | None = None

    @property
    def identity(self) -> bytes:
        """Return 32 bytes by which a second delivery is known."""
        return hashlib.sha256(f"{self.source}\x00{self.native_id}".encode()).digest()
