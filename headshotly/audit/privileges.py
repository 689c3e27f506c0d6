"""What the processes may do to the journal's tables on PostgreSQL."""

import re

from headshotly.audit.models import DamagedEntry, Disclosure, Entry, PendingEntry, SignedHead, Subtree
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal

_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_OUTBOXES = (PendingEntry, Disclosure)
_SEQUENCED = (Entry, Subtree, SignedHead, DamagedEntry)


@enforces("5.3.a", "2.4.a")
def statements(*, web: str, sequencer: str) -> list[str]:
    """Return the SQL that lets web and worker only add to the journal, and the sequencer only append.

    To be run by the owner of the tables after every migration; the roles exist already and own nothing.

    Args:
        web: role of the web process and the worker.
        sequencer: role of the sequencer.

    Raises:
        Refusal: a role's name is not a plain identifier.
    """
    for role in (web, sequencer):
        if not _ROLE.fullmatch(role):
            raise Refusal(f"“{role}” cannot be the name of a role here; use small letters, digits and _.")
    tables = [model._meta.db_table for model in (*_OUTBOXES, *_SEQUENCED)]
    return [
        f"GRANT USAGE ON SCHEMA public TO {web}, {sequencer}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {web}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {web}, {sequencer}",
        *(f"REVOKE ALL ON {table} FROM PUBLIC, {web}, {sequencer}" for table in tables),
        # The number of a new row is handed back to the writer, and the desk counts what waits: one column, no content.
        *(f"GRANT INSERT, SELECT (id) ON {model._meta.db_table} TO {web}" for model in _OUTBOXES),
        *(f"GRANT SELECT ON {model._meta.db_table} TO {web}" for model in _SEQUENCED),
        # DELETE … FOR UPDATE asks for UPDATE on one column at least; the sequencer changes no row.
        *(f"GRANT SELECT, DELETE, UPDATE (id) ON {model._meta.db_table} TO {sequencer}" for model in _OUTBOXES),
        *(f"GRANT SELECT, INSERT ON {model._meta.db_table} TO {sequencer}" for model in _SEQUENCED),
    ]
