"""Migrations while the service runs: none locks a table for long, and none waits long for a lock."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import psycopg

from tests import separate_python
from tests.audit.conftest import scratch_postgres  # noqa: F401 - fixture

_SQUAWK = Path(sys.executable).with_name("squawk")
# What makes readers or writers of an existing table wait while it is read or written whole.
LOCKS = frozenset({
    "adding-field-with-default", "adding-foreign-key-constraint", "adding-not-nullable-field", "adding-required-field",
    "adding-serial-primary-key-field", "ban-truncate-cascade", "changing-column-type", "constraint-missing-not-valid",
    "disallowed-unique-constraint", "require-concurrent-index-creation", "require-concurrent-index-deletion",
})  # fmt: skip
_PLANTED = """BEGIN;
ALTER TABLE "accounts_customer" ADD COLUMN "moment" timestamptz DEFAULT clock_timestamp() NOT NULL;
ALTER TABLE "accounts_customer" ALTER COLUMN "language" TYPE text USING "language"::text;
ALTER TABLE "accounts_customer" ALTER COLUMN "language" SET NOT NULL;
ALTER TABLE "accounts_customer" ADD COLUMN "age" integer NOT NULL;
CREATE INDEX "slow" ON "accounts_customer" ("language");
DROP INDEX "slow";
ALTER TABLE "accounts_customer" ADD CONSTRAINT "one" UNIQUE ("language");
ALTER TABLE "accounts_customer" ADD CONSTRAINT "to" FOREIGN KEY ("age") REFERENCES "other" ("id");
COMMIT;
"""
_WRITE_SQL = """
import io, sys
from pathlib import Path
from django.apps import apps
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader
for app, name in sorted(MigrationLoader(connections["default"]).disk_migrations):
    if apps.get_app_config(app).name.startswith("headshotly."):
        said = io.StringIO()
        call_command("sqlmigrate", app, name, stdout=said, no_color=True)
        Path(sys.argv[1], f"{app}.{name}.sql").write_text(said.getvalue())
"""
_MIGRATE = """
import sys
from django.core.management import call_command
from headshotly.policy.refusal import Refusal
try:
    call_command("migrate", *sys.argv[1:], verbosity=0, interactive=False)
    print("done")
except Refusal as refusal:
    print(refusal.code, refusal.sentence)
"""


def _locks(*files: Path) -> dict[str, set[str]]:
    """Return the rules that each file breaks, as squawk sees it."""
    ran = subprocess.run(
        [_SQUAWK, "--pg-version", "15.0", "--assume-in-transaction", "--reporter", "json", *map(str, files)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    found: dict[str, set[str]] = {}
    for one in json.loads(ran.stdout):
        if one["rule_name"] in LOCKS:
            found.setdefault(Path(one["file"]).name.removesuffix(".sql"), set()).add(one["rule_name"])
    return found


def test_no_migration_locks_a_table_for_long(scratch_postgres, tmp_path):  # noqa: F811 - fixture
    sql = tmp_path / "sql"
    sql.mkdir()
    separate_python.run(scratch_postgres.create("sql_of_migrations"), tmp_path, _WRITE_SQL, str(sql))
    files = sorted(sql.glob("*.sql"))
    assert len(files) > 25
    planted = tmp_path / "planted.sql"
    planted.write_text(_PLANTED)
    found = _locks(*files, planted)
    overlooked = LOCKS - found.pop("planted") - {"adding-serial-primary-key-field", "ban-truncate-cascade"}
    assert not overlooked, f"squawk does not see what is planted: {overlooked}"
    accepted = tomllib.loads((Path(__file__).parent / "accepted_locks.toml").read_text())
    assert all(entry["reason"] for entry in accepted.values())
    new = {name: rules - set(accepted.get(name, {"rules": ()})["rules"]) for name, rules in found.items()}
    assert not {name: rules for name, rules in new.items() if rules}
    assert set(accepted) <= set(found), "accepted_locks.toml names what is no longer there"


def test_an_index_is_added_beside_a_writer_and_finished_after_it_was_cut_short(scratch_postgres, tmp_path):  # noqa: F811
    url = scratch_postgres.create("index_cut_short")
    assert separate_python.run(url, tmp_path, _MIGRATE, "vault", "0003").strip() == "done"
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('object_kind_sealed')"
    with psycopg.connect(url) as writer, psycopg.connect(url, autocommit=True) as other:
        writer.execute("DELETE FROM vault_storedobject")  # an open writer, whose rows the index must hold
        said = separate_python.run(url, tmp_path, _MIGRATE, "vault", "0004", "--lock-seconds", "1")
        assert said.startswith("migrate.busy A table that changes is in use")
        assert other.execute(valid).fetchall() == [(False,)]
        writer.rollback()
        for _ in range(2):  # the second time it is there and whole, but not noted down
            assert separate_python.run(url, tmp_path, _MIGRATE, "vault", "0004").strip() == "done"
            assert other.execute(valid).fetchall() == [(True,)]
            other.execute("DELETE FROM django_migrations WHERE app = 'vault' AND name LIKE '0004%'")


def test_a_migration_gives_up_on_a_table_in_use_and_leaves_nothing(scratch_postgres, tmp_path):  # noqa: F811 - fixture
    url = scratch_postgres.create("table_in_use")
    assert separate_python.run(url, tmp_path, _MIGRATE, "accounts", "0001").strip() == "done"
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'accounts_customer'"
    with psycopg.connect(url) as reader:
        reader.execute("SELECT count(*) FROM accounts_customer")  # an open reader holds its lock until it ends
        said = separate_python.run(url, tmp_path, _MIGRATE, "accounts", "0002", "--lock-seconds", "1")
        assert said.startswith("migrate.busy A table that changes is in use")
        assert ("language",) not in reader.execute(columns).fetchall()
        reader.rollback()
        assert separate_python.run(url, tmp_path, _MIGRATE, "accounts", "0002", "--lock-seconds", "1").strip() == "done"
        assert ("language",) in reader.execute(columns).fetchall()
