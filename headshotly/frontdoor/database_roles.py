"""Who may do what in PostgreSQL: an owner that migrates, and a role for each program that owns nothing (clause 2.4.a).

Nothing here runs by itself: the owner runs it after every migration (``headshotly database roles``), and running it
again changes nothing. It is no migration, since every release's new tables need it, and a restored database too.
"""

import re
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import connection, connections, router, transaction
from django.db.models import Model

from headshotly.audit import privileges
from headshotly.policy import configuration
from headshotly.policy.enforcement import enforces
from headshotly.policy.refusal import Refusal

# Programs that work on customers' rows; the sequencer reaches the journal and the gate only.
PROGRAMS = ("web", "worker", "duties", "detector")
SEQUENCER = "sequencer"
# Delivers customers' messages to hosts nobody knows beforehand (docs/adr/0166): whoever broke into it reaches nothing.
SENDER = "sender"
ALL = (*PROGRAMS, SEQUENCER, SENDER)
# Makes and drops the databases of restore exercises, and reaches nothing of the living ones. It inherits what a
# database's owner may do in it, and is a member of nothing else.
DRILL = "drill"
# Rooms whose tables the detector never needs: it reads events and contains, and looks at no pictures or purchases.
CLOSED_TO_DETECTOR = frozenset({"studio", "orders", "rights", "purposes"})
# Tables that hold one customer's rows each, and nobody else's (docs/adr/0152 says why not more).
SCOPED = ("studio_photo", "studio_shoot", "studio_headshot", "vault_storedobject")
SETTING = "headshotly.subject"
EVERYBODY = "*"
_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,40}")


def role_of(program: str, prefix: str) -> str:
    """Return the name of a program's role.

    Raises:
        Refusal: it would not be a plain identifier.
    """
    name = f"{prefix}{program}"
    if not _ROLE.fullmatch(name):
        raise Refusal(f"“{name}” cannot be the name of a role here; use small letters, digits and _.")
    return name


def _tables(alias: str) -> dict[str, type[Model]]:
    """Return the tables of a database by name; those of many-to-many relations with the room that has them."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        home = router.db_for_write(model)
        if home == alias or (alias == "default" and home == "journal"):
            found[model._meta.db_table] = model
    return found


@enforces("2.4.a", "5.3.a")
def statements(*, prefix: str = "", alias: str = "default") -> list[str]:
    """Return the SQL that gives each program exactly what it needs; to be run by the owner of the tables.

    Args:
        prefix: of the roles' names, where several installations share a server.
        alias: ``default``, or ``keys`` for the database of customer keys.

    Raises:
        Refusal: the prefix makes no plain names.
    """
    roles = [role_of(program, prefix) for program in ALL]
    web, worker, duties, detector, sequencer, sender = roles
    made = [*(_make(role) for role in roles), _make(role_of(DRILL, prefix), may="INHERIT CREATEDB")]
    made += [_signs_in_by_iam(role) for role in (*roles, role_of(DRILL, prefix))]
    closed = ["REVOKE CREATE ON SCHEMA public FROM PUBLIC", f"REVOKE ALL ON SCHEMA public FROM {', '.join(roles)}"]
    closed += [f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {', '.join(roles)}"]
    if alias == "keys":
        # Wrapped keys: whoever opens or shreds needs them, the detector and the sequencer never.
        those = f"{web}, {worker}, {duties}"
        made += _admit(alias, f"{those}, {sender}")
        every = f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {duties}"  # checks read every byte
        opened = f"GRANT SELECT ON vault_wrappedcustomerkey TO {sender}"
        usage = f"GRANT USAGE ON SCHEMA public TO {those}, {sender}"
        return [*made, *closed, usage, *_rows(_tables(alias), those), every, opened]
    made += _admit(alias, ", ".join(roles))
    journal = [each for role in (web, worker, duties, detector) for each in _journal(role, sequencer)]
    open_to_detector = {
        name: model for name, model in _tables(alias).items() if model._meta.app_label not in CLOSED_TO_DETECTOR
    }
    return [
        *made,
        *closed,
        *_rows(_tables(alias), f"{web}, {worker}, {duties}"),
        *_rows(open_to_detector, detector),
        *(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}" for role in roles),
        *journal,
        # The sequencer hands heads to a witness outside, and asks the gate like everybody.
        *_gate(sequencer),
        *_gate(sender),
        *_deliver(sender),
        # Backups read every table and where its numbers are; checks recompute the journal and look what waits.
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {duties}",
        f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {duties}",
        *_scope(web, (worker, duties, detector)),
    ]


def _make(role: str, *, may: str = "NOINHERIT NOCREATEDB") -> str:
    """Return what makes a role unless it is there; how it signs in (IAM, certificate, password) is the server's."""
    # A role's name is a constant of ours.
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') "  # nosec B608
        f"THEN CREATE ROLE {role} LOGIN NOSUPERUSER {may} NOCREATEROLE NOBYPASSRLS; END IF; END $$"
    )


def _signs_in_by_iam(role: str) -> str:
    """Return what lets a role sign in by the task's AWS role, on servers that know this (RDS, Aurora)."""
    return (
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') "  # nosec B608
        f"THEN GRANT rds_iam TO {role}; END IF; END $$"
    )


def _admit(alias: str, roles: str) -> list[str]:
    """Return what lets the named roles, the owner and nobody else into a database."""
    name = '"{}"'.format(str(connections[alias].settings_dict["NAME"]).replace('"', '""'))
    return [f"REVOKE ALL ON DATABASE {name} FROM PUBLIC", f"GRANT CONNECT ON DATABASE {name} TO {roles}"]


def _rows(tables: Iterable[str], roles: str) -> list[str]:
    return [f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO {roles}' for table in sorted(tables)]


def _journal(role: str, sequencer: str) -> list[str]:
    """Return what ``audit.privileges`` says of a program, but its grant of everything else."""
    every = privileges.statements(web=role, sequencer=sequencer)
    return [one for one in every if " ON ALL TABLES " not in one]


def _gate(role: str) -> list[str]:
    """Return what lets a program that reaches nothing else ask the vendors' gate, which reads and writes down."""
    read = ("vendors_vendor", "vendors_vendordocument", "vendors_vendorassessment", "vendors_vendorclosure")
    return [
        *(f"GRANT SELECT ON {table} TO {role}" for table in read),
        f"GRANT SELECT, INSERT, UPDATE ON vendors_outflow TO {role}",
        *(f"GRANT INSERT ON {table} TO {role}" for table in ("audit_pendingentry", "audit_disclosure")),
    ]


def _deliver(role: str) -> list[str]:
    """Return what lets the sender see what is due, open addresses and secrets, and say how each message went.

    It can add no endpoint, turn none elsewhere, and read nobody's name, photo or mail address.
    """
    read = ("integrations_webhookendpoint", "integrations_webhookdelivery", "integrations_webhooktrouble",
            "vault_keyhold", "incidents_containment")  # fmt: skip
    written = {
        "integrations_webhookendpoint": "not_before, taken_at, failing_since",
        "integrations_webhookdelivery": "state, attempts, next_at, sent_at, tried_at, answered",
        "integrations_webhooktrouble": "ended_at",
    }
    return [
        f"GRANT USAGE ON SCHEMA public TO {role}",
        *(f"GRANT SELECT ON {table} TO {role}" for table in read),
        *(f"GRANT UPDATE ({columns}) ON {table} TO {role}" for table, columns in written.items()),
        f"GRANT INSERT ON integrations_webhooktrouble TO {role}",
        # The number of a new row is handed back to its writer.
        *(f"GRANT SELECT (id) ON {table} TO {role}" for table in ("audit_pendingentry", "audit_disclosure")),
    ]


@enforces("2.4.a", "5.1.a")
def _scope(web: str, others: Iterable[str]) -> list[str]:
    """Return the policies: the web program sees one customer's rows at a time, or, for staff and programs, every row.

    What the setting does not name is not seen and cannot be written; where it was never set, that is everything.
    """
    named = f"current_setting('{SETTING}', true)"
    # A setting that is no id compares with nothing; the cast is not reached for it.
    rule = (
        f"CASE WHEN {named} = '{EVERYBODY}' THEN true WHEN {named} ~ '^[0-9a-f-]{{36}}$' "
        f"THEN subject = {named}::uuid ELSE false END"
    )
    made = []
    for table in SCOPED:
        made += [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"DROP POLICY IF EXISTS one_customer_s ON {table}",
            f"CREATE POLICY one_customer_s ON {table} TO {web} USING ({rule}) WITH CHECK ({rule})",
            f"DROP POLICY IF EXISTS everybody_s ON {table}",
            f"CREATE POLICY everybody_s ON {table} TO {', '.join(others)} USING (true) WITH CHECK (true)",
        ]
    return made


@enforces("2.4.a")
def shortcomings(role: str = "") -> list[str]:
    """Return, in plain words, what a role may do that no program should; empty is good.

    Asked of the database, with its own answers, so that a grant made by hand is seen as well.

    Args:
        role: whose; empty for the one this process signs in as.
    """
    if connection.vendor != "postgresql":
        return ["This installation does not use PostgreSQL, which alone has roles."]
    with connection.cursor() as cursor:

        def says(question: str, *values: str) -> Any:
            cursor.execute(question, values)
            return cursor.fetchone()[0]

        role = role or says("SELECT current_user::text")
        powers = "rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb"
        found = []
        if says(f"SELECT {powers} FROM pg_roles WHERE rolname = %s", role):  # noqa: S608 - constants # nosec B608
            found.append("It may do more on the server than use its databases.")
        if says("SELECT has_schema_privilege(%s, 'public', 'CREATE')", role):
            found.append("It may make tables.")
        owned = says("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = %s", role)
        found += [f"It owns {owned} tables."] if owned else []
        for model in apps.get_app_config("audit").get_models():
            table = model._meta.db_table
            if says("SELECT has_table_privilege(%s, %s, 'UPDATE, TRUNCATE')", role, table):
                found.append(f"It may change {table}.")
        for table in SCOPED:
            if not says("SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", table):
                found.append(f"{table} shows every customer's rows to everybody.")
    return found


@enforces("2.4.a")
def shortcomings_of_all() -> dict[str, list[str]]:
    """Return what each program's role may do that it should not, by role; a role that is not there says so.

    Their names follow from the one this process signs in as: ``staging_duties`` has ``staging_web`` beside it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user::text")
        mine = str(cursor.fetchone()[0])
        prefix = next((mine.removesuffix(one) for one in ALL if mine.endswith(one)), None)
        found = {mine: shortcomings(mine)}
        if prefix is None:
            found[mine].append("It is the role of no program.")
            return found
        for program in ALL:
            role = role_of(program, prefix)
            cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [role])
            found[role] = shortcomings(role) if cursor.fetchone()[0] else ["It does not exist."]
    return found


@enforces("2.4.a")
def require_separated() -> None:
    """Pass where this program's role may do no more than it should; asked before a program of production starts.

    A place that a restore exercise made is its maker's, who has no other role there; its databases are ``drill_…``.

    Raises:
        Refusal: the role may do more; the sentence says what, and how it is mended.
    """
    if configuration.current().environment != "production" or connection.vendor != "postgresql":
        return
    if str(connection.settings_dict["NAME"]).startswith("drill_"):
        return
    try:
        found = shortcomings()
    finally:
        connection.close()  # no process forked later shares it
    if found:
        raise Refusal(
            f"This program's role in the database may do more than it should. {' '.join(found)} Let the owner run "
            "“headshotly database roles --apply”, and sign in as the program's own role (docs/running.md).",
            code="database.role",
        )


def apply(*, prefix: str, alias: str) -> int:
    """Run the statements in one transaction, as whoever this process signs in as; return how many.

    A crash leaves everything as it was.

    Raises:
        Refusal: this installation does not use PostgreSQL.
    """
    if connections[alias].vendor != "postgresql":
        raise Refusal("Only PostgreSQL has roles; this installation uses SQLite.", code="database.no_roles")
    every = statements(prefix=prefix, alias=alias)
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        for statement in every:
            cursor.execute(statement)
    return len(every)
