"""The empty place a drill restores into: nothing of the living system is in its environment but keys and backups."""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from headshotly.continuity import places
from headshotly.continuity.errors import DatabaseUnfit
from headshotly.continuity.scratch_place import Ran
from headshotly.policy import clock, configuration

_PREFIX = "headshotly-drill-"
_OLD_SECONDS = 24 * 3600
# What a process needs of the system, and how AWS's client finds its credentials; nothing of ours.
_INHERITED = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE")
_CARRIED = ("kms.", "backup.", "vendors.", "database.sign_in", "database.region", "database.ca_file")
# Where a role signs in that may make databases and reaches none of the living ones; the duties' own role makes none.
_URL = "drill.database_url"


class DrillPlace:
    """A folder for temporary files, ports of its own, and on PostgreSQL two databases of its own."""

    def __init__(self) -> None:
        """Make the place; what a crashed drill left more than a day ago goes first."""
        _sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self.data_folder = self.folder / "data"
        self._databases: list[str] = []
        self._port, self._plain_port = _free_port(), _free_port()
        self._environment = self._make_environment()

    def _make_environment(self) -> dict[str, str]:
        here = configuration.current()
        kept = {name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith("AWS_")}  # noqa: TID251 - a child's environment is made here
        options = {name: value for name, value in here.options.items() if name.startswith(_CARRIED)}
        options["backup.stores"] = ",".join(places.specified())
        if here.key_service == "embedded":
            options.setdefault("kms.folder", str(here.data_folder))
            options.setdefault("backup.keys_folder", options["kms.folder"])
        ours = {
            # An exercise is no act in production: nobody is there to approve a grant, and no mail leaves it.
            "ENVIRONMENT": "staging" if here.environment == "production" else here.environment,
            "DATA": str(self.data_folder),
            "MAIL": str(self.folder / "mail"),
            "MODELS": str(here.models_folder),
            "URL": f"https://localhost:{self._port}",
            "HTTPS_PORT": str(self._port),
            "HTTP_PORT": str(self._plain_port),
            "KEY_SERVICE": here.key_service,
            **self._database(),
            **{f"OPTION_{name.upper().replace('.', '__')}": value for name, value in options.items()},
        }
        return {**kept, **{f"HEADSHOTLY_{name}": value for name, value in ours.items()}}

    def _database(self) -> dict[str, str]:
        """Make two empty databases beside the living one; SQLite's are files in the folder."""
        connection = connections[DEFAULT_DB_ALIAS]
        if connection.vendor != "postgresql":
            return {}
        name = f"drill_{int(clock.now().timestamp())}_{uuid.uuid4().hex[:8]}"
        with _server() as server, server.cursor() as cursor:
            about = server.settings_dict
            _require_maker(cursor)
            for each in (name, f"{name}_keys"):
                cursor.execute(f'CREATE DATABASE "{each}"')  # nosemgrep: query-made-of-words - made here
                self._databases.append(each)
        password = f":{about['PASSWORD']}" if about["PASSWORD"] else ""
        where = f"{about['HOST']}{':' + str(about['PORT']) if about['PORT'] else ''}"
        return {"DATABASE_URL": f"postgresql://{about['USER']}{password}@{where}/{name}"}

    def _program(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "headshotly.frontdoor", *arguments]

    def run(self, arguments: Sequence[str], *, seconds: float) -> Ran:
        """Run ``headshotly`` in the place."""
        try:
            ended = subprocess.run(  # noqa: S603 - our own program
                self._program(arguments),
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
                text=True,
            )
        except subprocess.TimeoutExpired:
            return Ran(124, f"It had not ended after {seconds:.0f} seconds.")
        return Ran(ended.returncode, ended.stdout)

    @contextlib.contextmanager
    def serving(self, *, seconds: float) -> Iterator[bool]:
        """Start the web server and say whether it answered."""
        process = subprocess.Popen(  # noqa: S603 - our own program
            self._program(["serve", "web", "--processes", "1"]),
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield self._answers(process, until=clock.monotonic() + seconds)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _answers(self, process: "subprocess.Popen[bytes]", *, until: float) -> bool:
        while clock.monotonic() < until and process.poll() is None:
            if self._asked():
                return True
            time.sleep(0.2)
        return False

    def _asked(self) -> bool:
        certificate = self.data_folder / "tls" / "certificate.pem"
        with contextlib.suppress(OSError):
            context = ssl.create_default_context(cafile=str(certificate))
            with (
                socket.create_connection(("127.0.0.1", self._port), timeout=2) as plain,
                context.wrap_socket(plain, server_hostname="localhost") as tls,
            ):
                tls.sendall(b"GET /health/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return tls.recv(64).startswith(b"HTTP/1.1 200")
        return False

    def remove(self) -> None:
        """Remove folder and databases."""
        shutil.rmtree(self.folder, ignore_errors=True)
        while self._databases:
            _drop(self._databases[-1])
            self._databases.pop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _server() -> Iterator[BaseDatabaseWrapper]:
    """Give a connection that makes and drops databases, as the role that option ``drill.database_url`` names."""
    living = connections[DEFAULT_DB_ALIAS]
    url = configuration.current().options.get(_URL, "")
    if not url:
        yield living
        return
    parts = urlsplit(url)
    about = {
        "NAME": parts.path.lstrip("/") or "postgres", "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""), "HOST": unquote(parts.hostname or ""), "PORT": str(parts.port or ""),
    }  # fmt: skip
    made = type(living)({**living.settings_dict, **about}, alias="drill")
    try:
        yield made
    finally:
        made.close()


def _require_maker(cursor: Any) -> None:
    cursor.execute("SELECT rolcreatedb OR rolsuper, current_user FROM pg_roles WHERE rolname = current_user")
    may, role = cursor.fetchone()
    if not may:
        raise DatabaseUnfit(
            f"The role {role} may make no databases, and should not. Name one that may in the option {_URL}; "
            "“headshotly database roles” makes the role “drill” for it."
        )


def _drop(name: str) -> None:
    with _server() as server, server.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # nosemgrep: query-made-of-words - made here


def _sweep() -> None:
    """Remove what crashed drills left; one that is younger than a day may still be going on."""
    before = clock.now().timestamp() - _OLD_SECONDS
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.stat().st_mtime < before and folder.stat().st_uid == os.geteuid():
                shutil.rmtree(folder, ignore_errors=True)
    if connections[DEFAULT_DB_ALIAS].vendor != "postgresql":
        return
    with _server() as server, server.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'drill\\_%%'")
        names = [row[0] for row in cursor.fetchall()]
    for name in names:
        parts = name.split("_")
        if len(parts) > 1 and parts[1].isdigit() and int(parts[1]) < before:
            _drop(name)
