"""The database itself refuses to change what was seen: a correction is a new row.

SQLite lets rows be removed (its flush in tests knows no other way); what is missing is found by the run's hash and
count in the journal. PostgreSQL refuses both.
"""

from django.db import migrations

TABLES = ("proof_checkrun", "proof_evidence", "proof_exceptionrequest", "proof_exceptiondecision", "proof_attestation")
SAYS = "evidence is only ever added to"


def guard(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        for table in TABLES:
            schema_editor.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END"
            )
    elif vendor == "postgresql":
        schema_editor.execute(
            "CREATE OR REPLACE FUNCTION proof_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{SAYS}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        for table in TABLES:
            schema_editor.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION proof_append_only()"
            )


def unguard(apps, schema_editor):
    on = schema_editor.connection.vendor == "postgresql"
    for table in TABLES:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only" + (f" ON {table}" if on else ""))
    if on:
        schema_editor.execute("DROP FUNCTION IF EXISTS proof_append_only()")


class Migration(migrations.Migration):
    dependencies = [("proof", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
