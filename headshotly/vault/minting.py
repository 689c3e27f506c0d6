"""Making warrants. Only ``access`` may import this module; import-linter holds the door."""

import datetime as dt
import hashlib
import hmac
import json
from uuid import UUID, uuid4

from headshotly.audit.actor import Actor
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.vault.service_secrets import secret
from headshotly.vault.warrant import Warrant

LONGEST = dt.timedelta(hours=1)


def seal_of(warrant: Warrant) -> bytes:
    """Return the MAC (32 bytes) that a genuine warrant with these fields carries."""
    fields = [
        str(warrant.id),
        warrant.actor.kind,
        str(warrant.actor.id),
        warrant.actor.role,
        str(warrant.subject),
        warrant.purpose,
        warrant.basis,
        warrant.expires_at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
    ]
    return hmac.new(secret("warrants"), json.dumps(fields).encode(), hashlib.sha256).digest()


@enforces("5.1.a", "5.3.a")
def mint(*, actor: Actor, subject: UUID, purpose: str, basis: str, valid_for: dt.timedelta) -> Warrant:
    """Return a warrant for one actor, one data subject and one purpose.

    Args:
        actor: who will open.
        subject: whose data.
        purpose: what for; not empty.
        basis: what justifies it; not empty.
        valid_for: how long; at most an hour.

    Raises:
        ValueError: a part is empty, or the time is not between zero and an hour.
    """
    if not (purpose and basis and actor.id):
        raise ValueError("a warrant names its actor, its purpose and its basis")
    if not dt.timedelta(0) < valid_for <= LONGEST:
        raise ValueError("a warrant is valid for an hour at most")
    unsealed = Warrant(
        id=uuid4(),
        actor=actor,
        subject=subject,
        purpose=purpose,
        basis=basis,
        expires_at=clock.now() + valid_for,
        mac=b"",
    )
    return Warrant(
        id=unsealed.id,
        actor=actor,
        subject=subject,
        purpose=purpose,
        basis=basis,
        expires_at=unsealed.expires_at,
        mac=seal_of(unsealed),
    )
