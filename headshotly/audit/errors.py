"""Why the journal refuses."""

from headshotly.policy.refusal import Refusal


class JournalUnavailable(Refusal):
    """An entry could not be made durable, so nothing may be opened (clause 5.3.a)."""

    code = "journal.unavailable"
    status = 503


class JournalDamaged(Refusal):
    """The journal is not what its signed head says it is."""

    code = "journal.damaged"
    status = 500


class CheckpointForged(JournalDamaged):
    """A checkpoint is malformed or not signed by the journal's key."""

    code = "journal.checkpoint_forged"
