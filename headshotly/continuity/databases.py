"""Copying the databases while they are written to, and loading a copy into an empty place. Never the keys' database.

SQLite: the online backup interface. PostgreSQL: ``pg_dump`` and ``pg_restore`` (docs/adr/0070 says why not pgBackRest).
"""

import contextlib
import itertools
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from django.apps import apps
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections, router
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from headshotly.continuity.errors import DatabaseUnfit
from headshotly.policy import configuration
from headshotly.vault import durable

# The journal's outbox comes first: an entry moved meanwhile is then in both copies, and the sequencer knows it.
# The other way round it would be in neither.
ALIASES = ("journal", DEFAULT_DB_ALIAS)
_PROGRAMS = Path("/usr/lib/postgresql")
# Tables whose policies on rows hold for this role, and none of which lets every row through.
_HALF_SEEN = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind = 'r' AND row_security_active(c.oid) AND NOT EXISTS (
    SELECT FROM pg_policies p WHERE p.schemaname = 'public' AND p.tablename = c.relname AND p.permissive = 'PERMISSIVE'
    AND p.cmd IN ('ALL', 'SELECT') AND p.qual = 'true' AND current_user = ANY (p.roles))
"""
# Roles and what they may see are the server's, not the copy's: the owner gives them anew after a restore.
_OF_ROLES = (" POLICY ", " ROW SECURITY ")


class Engine(Protocol):
    """Copies and loads the databases of one kind."""

    @property
    def name(self) -> str:
        """Return the kind, as the manifest names it."""

    @property
    def chunk(self) -> int:
        """Return how large the pieces are that it is kept in, in bytes."""

    def snapshot(self) -> "contextlib.AbstractContextManager[Iterator[tuple[str, IO[bytes]]]]":
        """Give the databases one after the other, each as of one moment.

        Raises:
            DatabaseUnfit: a database is damaged, or cannot be copied.
        """

    def occupied(self) -> str:
        """Say what is in the place already, in one sentence; empty where it is free."""

    def load(self, name: str, source: Iterator[bytes]) -> None:
        """Load a database into the empty place.

        Raises:
            DatabaseUnfit: it cannot be loaded.
        """

    def clear(self) -> None:
        """Remove what an interrupted restore left; only ever called on a place that is being restored."""


class SqliteEngine:
    """Files; the copies lie in the data folder for as long as they are read, readable by their owner only."""

    name = "sqlite"
    chunk = 1 << 18  # a multiple of every page size, so that a page that did not change is not kept again

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
        """Copy each file at one moment; whoever writes meanwhile is not held up (write-ahead log)."""
        here = configuration.current().data_folder
        durable.make_folder(here)
        _sweep(here)
        folder = Path(tempfile.mkdtemp(prefix="backup-scratch-", dir=here))
        try:
            copies = {alias: folder / f"{alias}.sqlite3" for alias in ALIASES}
            for alias, copy in copies.items():
                _copy_sqlite(_sqlite_file(alias), copy)
            yield _opened(copies)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def occupied(self) -> str:
        """Say what is in the place already."""
        for alias in ALIASES:
            file = _sqlite_file(alias)
            if file.exists() and file.stat().st_size:
                return f"There is a database {file.name} already."
        return ""

    def load(self, name: str, source: Iterator[bytes]) -> None:
        """Write the file; a write-ahead log of something else beside it goes first."""
        file = _sqlite_file(name)
        self._forget(file)
        durable.write(file, source)
        with contextlib.closing(sqlite3.connect(file)) as connection:
            _require_sound(connection, file.name)

    @staticmethod
    def _forget(file: Path) -> None:
        connections.close_all()
        for suffix in ("", "-wal", "-shm"):
            durable.remove(file.with_name(file.name + suffix))

    def clear(self) -> None:
        """Remove the files."""
        for alias in ALIASES:
            self._forget(_sqlite_file(alias))


def _sqlite_file(alias: str) -> Path:
    return Path(str(connections[alias].settings_dict["NAME"]))


def _sweep(folder: Path) -> None:
    """Remove the copies that a killed backup left; whoever calls holds the lock of backups."""
    for left in folder.glob("backup-scratch-*"):
        shutil.rmtree(left, ignore_errors=True)


def _copy_sqlite(source: Path, copy: Path) -> None:
    if not source.exists():
        raise DatabaseUnfit(f"The database {source.name} is not there; “headshotly serve” never set it up.")
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=20)) as reader,
            contextlib.closing(sqlite3.connect(copy)) as writer,
        ):
            reader.backup(writer, pages=-1)
            _require_sound(writer, source.name)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise DatabaseUnfit("There is no room beside the database for its copy; nothing was backed up.") from error
        raise DatabaseUnfit(f"The database {source.name} cannot be copied: {error}.") from error


def _require_sound(connection: sqlite3.Connection, name: str) -> None:
    try:
        answer = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise DatabaseUnfit(f"The database {name} is damaged: {error}.") from error
    if answer != ("ok",):
        raise DatabaseUnfit(f"The database {name} is damaged: {answer[0] if answer else 'no answer'}.")


def _opened(copies: dict[str, Path]) -> Iterator[tuple[str, IO[bytes]]]:
    for alias, copy in copies.items():
        with copy.open("rb") as file:
            yield alias, file


class PostgresEngine:
    """One database in its own format; roles and rights are the server's, not the copy's."""

    name = "postgresql"
    chunk = 1 << 20

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
        """Read a dump as it is made; its tables are all of one moment.

        The role of the duties is subject to the policies on rows, and has one that lets everything through. pg_dump
        refuses such a role unless told otherwise, since it would leave rows out silently where the policy were another.
        """
        self._require_every_row()
        yield self._dumped()

    @staticmethod
    def _require_every_row() -> None:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(_HALF_SEEN)
            found = [str(row[0]) for row in cursor.fetchall()]
        if found:
            raise DatabaseUnfit(
                f"This program's role sees only some rows of {found[0]}, so the copy would not be whole. "
                "Let the owner run “headshotly database roles --apply”."
            )

    def _dumped(self) -> Iterator[tuple[str, IO[bytes]]]:
        # Compressed afterwards, piece by piece, together with what SQLite gives.
        command = [_program("pg_dump"), "--format=custom", "--compress=0", "--no-password", "--enable-row-security"]
        with tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(  # noqa: S603 - a program of the system, our own arguments
                command, stdout=subprocess.PIPE, stderr=complaints, env=_reach(), cwd="/"
            )
            try:
                if process.stdout is None:
                    raise DatabaseUnfit("The database could not be copied: pg_dump did not start.")
                yield DEFAULT_DB_ALIAS, process.stdout
                process.stdout.read()
                code = process.wait()
            finally:
                process.kill()
                process.wait()
                if process.stdout is not None:
                    process.stdout.close()
            if code:
                raise _unfit("copied", complaints)

    def occupied(self) -> str:
        """Say what is in the place already."""
        connection = connections[DEFAULT_DB_ALIAS]
        with connection.cursor() as cursor:
            tables = connection.introspection.table_names(cursor)
        return f"The database holds {len(tables)} tables already." if tables else ""

    def load(self, name: str, source: Iterator[bytes]) -> None:
        """Load the dump in one transaction: whole or not at all."""
        if name != DEFAULT_DB_ALIAS:
            raise DatabaseUnfit(f"The backup holds a database “{name}” that PostgreSQL does not have.")
        connections.close_all()
        arguments = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", "--no-password"]
        reach = _reach()
        with tempfile.TemporaryFile() as complaints, tempfile.NamedTemporaryFile() as wanted:
            source = self._choose(source, wanted)
            arguments += [f"--use-list={wanted.name}", f"--dbname={reach['PGDATABASE']}"]
            command = [_program("pg_restore"), *arguments]
            process = subprocess.Popen(  # noqa: S603 - as above
                command, stdin=subprocess.PIPE, stderr=complaints, env=reach, cwd="/"
            )
            try:
                # It ends early on what it does not like, and says why.
                with contextlib.suppress(BrokenPipeError), contextlib.closing(_into(process)) as pipe:
                    for piece in source:
                        pipe.write(piece)
                code = process.wait()
            finally:
                process.kill()
                process.wait()
            if code:
                raise _unfit("loaded", complaints)

    @staticmethod
    def _choose(source: Iterator[bytes], wanted: IO[bytes]) -> Iterator[bytes]:
        """Write down what shall be loaded: everything but policies, which name roles this server may not have.

        Returns:
            The dump from its beginning; what was read of it to find its table of contents is still in memory.
        """
        read: list[bytes] = []
        with tempfile.TemporaryFile() as contents, tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(  # noqa: S603 - a program of the system, our own arguments
                [_program("pg_restore"), "--list"], stdin=subprocess.PIPE, stdout=contents, stderr=complaints, cwd="/"
            )
            # It ends as soon as it knows the contents, which are at the beginning.
            with contextlib.suppress(BrokenPipeError), contextlib.closing(_into(process)) as pipe:
                for piece in source:
                    read.append(piece)
                    pipe.write(piece)
            if process.wait():
                raise _unfit("loaded", complaints)
            contents.seek(0)
            wanted.writelines(line for line in contents if not any(one.encode() in line for one in _OF_ROLES))
            wanted.flush()
        return itertools.chain(read, source)

    def clear(self) -> None:
        """Remove every table of the place."""
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")


def _into(process: "subprocess.Popen[bytes]") -> IO[bytes]:
    if process.stdin is None:
        raise DatabaseUnfit("The database could not be loaded: pg_restore did not start.")
    return process.stdin


def _unfit(done: str, complaints: IO[bytes]) -> DatabaseUnfit:
    """Return the error that says what could not be done with the database, and what PostgreSQL's program said first."""
    complaints.seek(0)
    return DatabaseUnfit(f"The database could not be {done}. PostgreSQL said: {_first(complaints.read())}")


def _first(complaint: bytes) -> str:
    lines = complaint.decode(errors="replace").strip().splitlines()
    return lines[0][:300] if lines else "nothing."


def _program(name: str) -> str:
    """Return a program of PostgreSQL's, the newest one installed."""
    found = sorted(_PROGRAMS.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    program = str(found[-1]) if found else shutil.which(name)
    if program is None:
        raise DatabaseUnfit(
            f"PostgreSQL's program {name} is not installed (Debian: apt-get install postgresql-client)."
        )
    return program


def _reach() -> dict[str, str]:
    """Return how PostgreSQL's programs reach the database; the password is in nobody's list of processes."""
    about = connections[DEFAULT_DB_ALIAS].get_connection_params()  # with a password that is made for now, where it is
    named = {
        "PGPASSWORD": "password",  # pragma: allowlist secret
        "PGDATABASE": "dbname", "PGUSER": "user", "PGHOST": "host", "PGPORT": "port",
        "PGSSLMODE": "sslmode", "PGSSLROOTCERT": "sslrootcert",
    }  # fmt: skip
    return {variable: str(about[name]) for variable, name in named.items() if about.get(name)}


def engine() -> Engine:
    """Return the engine of this installation's databases."""
    if connections[DEFAULT_DB_ALIAS].vendor == "postgresql":
        return PostgresEngine()
    return SqliteEngine()


def migrations() -> tuple[str, ...]:
    """Return the migrations the main database says it has had."""
    applied = MigrationRecorder(connections[DEFAULT_DB_ALIAS]).applied_migrations()
    return tuple(sorted(f"{app}.{name}" for app, name in applied))


def bring_up_to_date(had: tuple[str, ...]) -> int:
    """Migrate a restored database to this version of the program, and refuse one that is not whole afterwards.

    Args:
        had: the migrations the backup's database had.

    Returns:
        How many migrations were done.

    Raises:
        DatabaseUnfit: it is newer than the program, or was backed up half-migrated.
    """
    known = {f"{app}.{name}" for app, name in MigrationExecutor(connections[DEFAULT_DB_ALIAS]).loader.disk_migrations}
    unknown = sorted(set(had) - known)
    if unknown:
        raise DatabaseUnfit(
            f"The backup was made by a newer version ({unknown[0]} is not known here); install that version first."
        )
    try:
        for alias in (DEFAULT_DB_ALIAS, "journal", "keys"):
            call_command("migrate", database=alias, verbosity=0, interactive=False)
    except Exception as error:
        # Whatever a migration trips over, the place stays closed; its kind and text say where to look.
        raise DatabaseUnfit(
            "The database in the backup is half-migrated and cannot be brought up to date "
            f"({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}); take an older backup."
        ) from error
    require_whole()
    return len(set(migrations()) - set(had))


def require_whole() -> None:
    """Refuse a database that lacks a table or column that its migrations should have made.

    Raises:
        DatabaseUnfit: names what is missing.
    """
    for alias in ALIASES:
        connection = connections[alias]
        with connection.cursor() as cursor:
            tables = set(connection.introspection.table_names(cursor))
            for model in apps.get_models():
                if not model._meta.managed or model._meta.proxy or not _lives_in(alias, model):
                    continue
                table = model._meta.db_table
                if table not in tables:
                    raise DatabaseUnfit(f"The database is half-migrated: it has no table {table}.")
                # Django's introspection stumbles over some constraints on SQLite; an empty answer names the columns.
                nothing = f"SELECT * FROM {connection.ops.quote_name(table)} WHERE 1 = 0"  # noqa: S608 - a model's # nosec B608
                cursor.execute(nothing)
                held = {column[0] for column in cursor.description}
                lacking = sorted({str(field.column) for field in model._meta.local_concrete_fields} - held)
                if lacking:
                    raise DatabaseUnfit(f"The database is half-migrated: {table} has no column {lacking[0]}.")


def _lives_in(alias: str, model: object) -> bool:
    return router.db_for_read(model) == alias  # type: ignore[arg-type]
