"""``migrate``, which never makes the running service wait long for a table (clause 6.1)."""

from typing import Any, cast

from django.core.management.commands import migrate
from django.db import OperationalError, connections

from headshotly.policy.refusal import Refusal

LOCK_SECONDS = 5
STATEMENT_SECONDS = 600
_LOCK_NOT_AVAILABLE, _CANCELLED = "55P03", "57014"  # PostgreSQL's error codes, appendix A


class Busy(Refusal):
    """A table stayed in use, or a statement took too long; the migration at hand was rolled back."""

    code = "migrate.busy"
    status = 503


class Command(migrate.Command):
    """Django's own, with limits on PostgreSQL.

    A statement that waits for a table makes everybody queue behind it who wants the table afterwards, readers included.
    So it gives up after a few seconds, and its migration is rolled back: run it again in a quieter moment. Migrations
    that ended before it stay done, and so do indexes added online. SQLite waits by itself, as long as the settings say.
    """

    def add_arguments(self, parser: Any) -> None:
        """Take the limits besides what Django takes; 0 means none."""
        super().add_arguments(parser)
        parser.add_argument("--lock-seconds", type=int, default=LOCK_SECONDS, help="Longest wait for a table.")
        parser.add_argument("--statement-seconds", type=int, default=STATEMENT_SECONDS, help="Longest statement.")

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Migrate under the limits, and take them back afterwards.

        Raises:
            Busy: a limit was reached.
        """
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            super().handle(*arguments, **options)
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{options['lock_seconds']}s"])
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{options['statement_seconds']}s"])
        try:
            super().handle(*arguments, **options)
        except OperationalError as error:
            raise _told(error) from error
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")
                cursor.execute("RESET statement_timeout")


def _told(error: OperationalError) -> Exception:
    code = cast("str | None", getattr(error.__cause__, "sqlstate", None))
    if code == _LOCK_NOT_AVAILABLE:
        return Busy("A table that changes is in use. Please run it again later; it goes on with what is not done yet.")
    if code == _CANCELLED:
        return Busy(
            "A statement took too long and was undone. Please run the migration in a quieter moment, or split it."
        )
    return error
