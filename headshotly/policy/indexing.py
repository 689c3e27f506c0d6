"""An index added while the service runs: nobody who writes to the table waits for it (clause 6.1)."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations import AddIndex

_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"


class AddIndexOnline(AddIndexConcurrently):
    """Add an index: concurrently on PostgreSQL, as ever on SQLite, whose one writer waits.

    Needs ``atomic = False`` on its migration. A crash, or a limit that was reached, leaves what is done and perhaps an
    index that PostgreSQL calls invalid; running the migration again keeps what is whole and makes the other anew.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Add it, unless it is there and whole."""
        if schema_editor.connection.vendor != "postgresql":
            AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        here = self.allow_migrate_model(schema_editor.connection.alias, model)
        if here and not schema_editor.collect_sql:  # only asked for its statements, it looks at nothing
            with schema_editor.connection.cursor() as cursor:
                cursor.execute(_VALID, [self.index.name])
                found = cursor.fetchone()
            if found == (True,):
                return
            if found == (False,):
                schema_editor.remove_index(model, self.index, concurrently=True)
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Remove it again."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)
