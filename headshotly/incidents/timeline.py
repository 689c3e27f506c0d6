"""A case's timeline: lines only ever added, each with its hash in the journal, so that a changed one is found."""

import datetime as dt
import hashlib
import json
import uuid
from uuid import UUID

from headshotly.audit import selectors as journal
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.incidents.models import Case, TimelineEntry, TimelineKind
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces


def digest(row: TimelineEntry) -> str:
    """Return the hash of what a line says (SHA-256, hex)."""
    said = [str(row.id), row.case_id, row.happened_at.astimezone(dt.UTC).isoformat(), row.kind, row.words]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


@enforces("8.1.a-b")
def write(
    *,
    actor: Actor,
    case: Case,
    kind: TimelineKind,
    words: str,
    act: Act,
    happened_at: dt.datetime | None = None,
    subject: UUID | None = None,
) -> TimelineEntry:
    """Add a line and journal its hash, in the caller's transaction: both are there or neither.

    Args:
        actor: who writes it.
        case: whose timeline.
        kind: what it tells.
        words: plain words, pseudonyms only.
        act: what the journal calls it.
        happened_at: when it happened, if not now.
        subject: the data subject it concerns, by pseudonym.
    """
    now = clock.now()
    row = TimelineEntry(
        id=uuid.uuid4(),
        case=case,
        happened_at=min(happened_at or now, now),  # another machine's clock may be ahead of ours
        recorded_at=now,
        recorded_by=actor.id if actor.kind == "staff" else None,
        kind=kind,
        words=words,
    )
    row.save(force_insert=True)
    audit.record(actor=actor, act=act, subject=subject, purpose=f"{case.reference} {row.id} sha256:{digest(row)}")
    return row


def of(case: Case) -> list[TimelineEntry]:
    """Return a case's timeline, oldest first."""
    return list(TimelineEntry.objects.filter(case=case).order_by("happened_at", "recorded_at"))


def altered(case: Case) -> list[UUID]:
    """Return the lines of a case that are not, or no longer, what the journal says was written.

    Lines whose entry is not sequenced yet are held against nothing and are not named; lines that the journal knows and
    the table has lost are.
    """
    rows = {row.id: digest(row) for row in TimelineEntry.objects.filter(case=case)}
    found = []
    for leaf in journal.leaves_between(_ACTS, since=case.opened_at):
        if not leaf.purpose.startswith(f"{case.reference} "):
            continue
        _, row_id, hash_ = leaf.purpose.split(" ", 2)
        if rows.get(UUID(row_id)) != hash_.removeprefix("sha256:"):
            found.append(UUID(row_id))
    return found


_ACTS = frozenset(act for act in Act if act.value.startswith("incidents."))
