"""Which database a model lives in: keys apart from everything else."""

from typing import Any

from django.db import connections

_KEY_MODELS = {("vault", "wrappedcustomerkey")}
_JOURNAL_MODELS = {("audit", "disclosure")}


def _same_database(one: str, other: str) -> bool:
    """Say whether two aliases are two connections to one database (PostgreSQL) rather than two files (SQLite)."""
    parts = ("ENGINE", "NAME", "HOST", "PORT")
    return all(connections[one].settings_dict.get(part) == connections[other].settings_dict.get(part) for part in parts)


class Rooms:
    """Send key rows to ``keys``, entries that must outlive a rollback to ``journal``, the rest to ``default``."""

    def _alias(self, app_label: str, model_name: str | None) -> str:
        place = (app_label, model_name or "")
        if place in _KEY_MODELS:
            return "keys"
        if place in _JOURNAL_MODELS:
            return "journal"
        return "default"

    def db_for_read(self, model: Any, **_hints: Any) -> str:
        """Return the alias a model is read from."""
        return self._alias(model._meta.app_label, model._meta.model_name)

    def db_for_write(self, model: Any, **_hints: Any) -> str:
        """Return the alias a model is written to."""
        return self._alias(model._meta.app_label, model._meta.model_name)

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_hints: Any) -> bool:
        """Let a model's table exist only where its rows live.

        Where ``journal`` is a second connection to the main database, migrating either makes the tables of both.
        """
        home = self._alias(app_label, model_name)
        if home != "keys" and db != "keys" and _same_database("journal", "default"):
            # Both connections share one record of migrations, so whichever comes first must make every table.
            return True
        return db == home
