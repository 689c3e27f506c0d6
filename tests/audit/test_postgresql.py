"""On PostgreSQL: one table for both connections, and a web role that can only add."""

import uuid

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from headshotly.audit.privileges import statements
from headshotly.policy.refusal import Refusal
from tests import separate_python

_TABLES = ("pendingentry", "disclosure", "entry", "subtree", "signedhead", "damagedentry")


_MIGRATE = """
from django.core.management import call_command
for alias in {order}:
    call_command("migrate", "audit", database=alias, verbosity=0)
"""
_WRITE = """
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.audit.services import record, record_durably
from headshotly.audit.selectors import waiting
record(actor=SYSTEM, act=Act.OBJECT_SEALED)
record_durably(actor=SYSTEM, act=Act.OBJECT_OPENED)
print(waiting())
"""
_SEQUENCE = """
from headshotly.audit.sequencing import sequence_once
print(sequence_once())
"""
_VERIFY = """
from headshotly.audit.verification import verify
print(verify().entries)
"""


@pytest.mark.parametrize("order", [("default", "journal"), ("journal", "default")])
def test_either_connection_may_be_migrated_first(order, scratch_postgres, tmp_path):
    url = scratch_postgres.create(f"order_{order[0]}")
    separate_python.run(url, tmp_path, _MIGRATE.format(order=order))
    with psycopg.connect(url) as database:
        rows = database.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'audit_%'").fetchall()
    assert {name for (name,) in rows} == {f"audit_{table}" for table in _TABLES}
    assert separate_python.run(url, tmp_path, _WRITE + _SEQUENCE + _VERIFY).split() == ["2", "2", "2"]


@pytest.fixture(scope="module")
def roles(scratch_postgres, tmp_path_factory):
    """A migrated database with the two roles; returns their addresses and the data folder."""
    folder = tmp_path_factory.mktemp("roles")
    owner = scratch_postgres.create("roles")
    separate_python.run(owner, folder, _MIGRATE.format(order=("default", "journal")))
    with psycopg.connect(owner, autocommit=True) as database:
        for role in ("web", "sequencer"):
            database.execute(f"CREATE ROLE {role} LOGIN")
        for statement in statements(web="web", sequencer="sequencer"):
            database.execute(statement)
    return scratch_postgres.url("roles", role="web"), scratch_postgres.url("roles", role="sequencer"), folder


@pytest.mark.clause("5.3.a", "2.4.a")
def test_the_program_runs_under_the_two_roles(roles):
    web, sequencer, folder = roles
    assert separate_python.run(web, folder, _WRITE).split() == ["2"]
    assert separate_python.run(sequencer, folder, _SEQUENCE + _VERIFY).split() == ["2", "2"]
    assert separate_python.run(web, folder, _VERIFY).split() == ["2"]


@pytest.mark.clause("5.3.a", "2.4.a")
@pytest.mark.parametrize("table", _TABLES)
@pytest.mark.parametrize(
    "act", ["UPDATE audit_{} SET {column} = {column}", "DELETE FROM audit_{}", "TRUNCATE audit_{}"]
)
def test_the_web_role_changes_and_deletes_nothing(act, table, roles):
    column = {"entry": "leaf", "subtree": "hash", "signedhead": "note", "damagedentry": "leaf"}.get(table, "leaf")
    with psycopg.connect(roles[0]) as database, pytest.raises(InsufficientPrivilege):
        database.execute(act.format(table, column=column))


@pytest.mark.clause("5.3.a", "2.4.a")
@pytest.mark.parametrize("table", _TABLES[2:])
def test_the_web_role_adds_nothing_behind_the_sequencer(table, roles):
    with psycopg.connect(roles[0]) as database, pytest.raises(InsufficientPrivilege):
        database.execute(f"INSERT INTO audit_{table} DEFAULT VALUES")


@pytest.mark.clause("5.3.a", "2.4.a")
@pytest.mark.parametrize("table", _TABLES[:2])
def test_the_web_role_does_not_read_what_waits(table, roles):
    with psycopg.connect(roles[0]) as database, pytest.raises(InsufficientPrivilege):
        database.execute("SELECT leaf FROM audit_{}".format(table))  # noqa: UP032 - a test's constant


@pytest.mark.clause("5.3.a", "2.4.a")
@pytest.mark.parametrize("table", _TABLES[2:])
@pytest.mark.parametrize("act", ["UPDATE audit_{} SET {column} = {column}", "DELETE FROM audit_{}"])
def test_the_sequencer_appends_and_never_changes(act, table, roles):
    column = {"entry": "leaf", "subtree": "hash", "signedhead": "note", "damagedentry": "leaf"}[table]
    with psycopg.connect(roles[1]) as database, pytest.raises(InsufficientPrivilege):
        database.execute(act.format(table, column=column))


@pytest.mark.parametrize("name", ["Web", "web; DROP TABLE x", 'a"b', "", "1a", str(uuid.UUID(int=1))])
def test_a_role_s_name_is_never_more_than_a_name(name):
    with pytest.raises(Refusal, match="cannot be the name of a role"):
        statements(web=name, sequencer="sequencer")
