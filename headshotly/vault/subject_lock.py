"""One subject, two transactions at once: those that name new objects, and the one that erases everything.

Whoever names something shares the lock until their transaction ends, and looks for the key once they have it. An
erasure destroys the key and then waits to have the lock alone: from there on it sees every row that will ever be, and
whoever comes later finds no key. On SQLite every writing transaction already is alone.
"""

from uuid import UUID

from django.db import connection, transaction

# The first of the lock's two numbers, "SUBJ"; other locks of ours have one number, which PostgreSQL keeps apart.
_SPACE = 0x53_55_42_4A
_SHARED = "SELECT pg_advisory_xact_lock_shared(%s, %s)"
_ALONE = "SELECT pg_advisory_xact_lock(%s, %s)"


def _take(statement: str, subject: UUID) -> None:
    if connection.vendor == "postgresql":
        # Two subjects that share these 32 bits only wait for each other.
        number = int.from_bytes(subject.bytes[:4], signed=True)
        with connection.cursor() as cursor:
            cursor.execute(statement, [_SPACE, number])


def share(subject: UUID) -> None:
    """Keep an erasure of the subject waiting until the caller's transaction ends."""
    _take(_SHARED, subject)


def wait_for_others(subject: UUID) -> None:
    """Return once every transaction that shares the lock has ended; what they committed is visible then."""
    with transaction.atomic():
        _take(_ALONE, subject)
