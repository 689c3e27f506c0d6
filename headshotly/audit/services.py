"""Writing to the journal. Writes ride in the writer's transaction; disclosures are durable before they happen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db import Error as DatabaseFailure

from headshotly.audit import keys, outbox
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.audit.errors import JournalUnavailable
from headshotly.audit.leaf import Leaf, sha256_hex
from headshotly.audit.models import Disclosure, PendingEntry
from headshotly.audit.together import CommitCutOff, Together
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces
from headshotly.policy.tracing import traced


@dataclass(frozen=True, slots=True)
class _Row:
    entry_id: UUID
    leaf: bytes
    sealed_details: bytes

    @property
    def columns(self) -> tuple[UUID, bytes, bytes, bytes]:
        """Return what the outbox keeps: the row and a tag that shows an edit made before sequencing."""
        return (self.entry_id, self.leaf, self.sealed_details, keys.outbox_tag(self.leaf))


def _row(
    *,
    actor: Actor,
    act: Act,
    subject: UUID | None,
    purpose: str,
    warrant_id: UUID | None,
    object_ids: Iterable[UUID],
    outcome: Outcome,
    sealed_details: bytes,
) -> _Row:
    entry_id = uuid4()
    leaf = Leaf(
        entry_id=entry_id,
        occurred_at=clock.now(),
        actor=actor,
        act=act,
        outcome=outcome,
        subject=subject,
        purpose=purpose,
        warrant_id=warrant_id,
        object_ids=tuple(object_ids),
        details_sha256=sha256_hex(sealed_details),
    )
    return _Row(entry_id, leaf.encode(), sealed_details)


@enforces("5.3.a")
@traced("journal.append")
def record(
    *,
    actor: Actor,
    act: Act,
    subject: UUID | None = None,
    purpose: str = "",
    warrant_id: UUID | None = None,
    object_ids: Iterable[UUID] = (),
    outcome: Outcome = Outcome.DONE,
    sealed_details: bytes = b"",
) -> UUID:
    """Record an act in the caller's transaction: if that rolls back, the act did not happen and neither did this.

    Args:
        actor: who did it.
        act: what they did.
        subject: pseudonym of the data subject, if there is one.
        purpose: activity or reason.
        warrant_id: the warrant it was done under.
        object_ids: sealed objects concerned.
        outcome: how it ended.
        sealed_details: ciphertext under the subject's key; the leaf holds its hash.

    Returns:
        The entry's id.
    """
    row = _row(
        actor=actor,
        act=act,
        subject=subject,
        purpose=purpose,
        warrant_id=warrant_id,
        object_ids=object_ids,
        outcome=outcome,
        sealed_details=sealed_details,
    )
    outbox.insert(PendingEntry, [row.columns], alias=DEFAULT_DB_ALIAS)
    return row.entry_id


def _commit(given: Sequence[Sequence[_Row]]) -> None:
    """Write rows on the journal's own connection of this thread and commit them.

    ``durable`` refuses a caller with a transaction open on that connection: its rollback would erase the entries.
    """
    with outbox.turn(), transaction.atomic(using=outbox.JOURNAL, durable=True):
        outbox.insert(Disclosure, [row.columns for rows in given for row in rows], alias=outbox.JOURNAL)


_together = Together(_commit)


@enforces("5.3.a")
@traced("journal.append")
def record_durably(
    *,
    actor: Actor,
    act: Act,
    subject: UUID | None = None,
    purpose: str = "",
    warrant_id: UUID | None = None,
    object_ids: Iterable[UUID] = (),
    outcome: Outcome = Outcome.DONE,
    sealed_details: bytes = b"",
    also: Sequence[Act] = (),
) -> UUID:
    """Record an act and commit it on the journal's own connection before returning.

    Threads that come at the same moment share a commit; where it fails, none of them goes on. A crash after this line
    leaves an entry for an opening that may not have happened: the safe direction.

    Args:
        actor: who does it.
        act: what they are about to do.
        subject: pseudonym of the data subject, if there is one.
        purpose: activity or reason.
        warrant_id: the warrant it is done under.
        object_ids: sealed objects concerned.
        outcome: how it ended.
        sealed_details: ciphertext under the subject's key; the leaf holds its hash.
        also: what else the same deed is; each is an entry of its own in the same commit.

    Returns:
        The id of the act's own entry.

    Raises:
        JournalUnavailable: the entry is not known to be durable; the caller must not go on.
    """
    rows = [
        _row(
            actor=actor,
            act=one,
            subject=subject,
            purpose=purpose,
            warrant_id=warrant_id,
            object_ids=object_ids,
            outcome=outcome,
            sealed_details=sealed_details,
        )
        for one in (act, *also)
    ]
    try:
        if connections[outbox.JOURNAL].in_atomic_block:
            _commit([rows])  # refused there; and whoever holds the journal must not wait for another's commit
        else:
            _together.add(rows)
    except (DatabaseFailure, CommitCutOff, OSError) as error:
        connections[outbox.JOURNAL].close_if_unusable_or_obsolete()
        raise JournalUnavailable(
            "The access could not be written down, so nothing was opened. Please try again in a moment."
        ) from error
    return rows[0].entry_id
