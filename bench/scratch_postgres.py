"""A PostgreSQL cluster of one's own, from Debian's binaries, never run as root."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Self

_ROOMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
_ACCOUNT = "postgres"


def available() -> bool:
    """Say whether PostgreSQL's server programs are installed."""
    return bool(_ROOMS)


class ScratchPostgres:
    """Starts a cluster in a temporary folder, gives out databases, and leaves nothing behind."""

    def __init__(self, *, unsafe_fast: bool = False) -> None:
        """Choose a port and a folder; ``unsafe_fast`` forgets what a power cut would test, for suites only."""
        self._fsync = "off" if unsafe_fast else "on"
        self._bin = _ROOMS[-1].parent
        self._folder = Path(tempfile.mkdtemp(prefix="headshotly-postgres-"))
        self._as = {"user": _ACCOUNT, "group": _ACCOUNT, "extra_groups": []} if os.geteuid() == 0 else {}
        if self._as:
            shutil.chown(self._folder, _ACCOUNT, _ACCOUNT)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / program, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            **self._as,
        )

    def __enter__(self) -> Self:
        data = str(self._folder / "data")
        try:
            self._run("initdb", "-D", data, "-U", "headshotly", "--auth=trust", "-E", "UTF8", "--locale=C", "-N")
            options = (
                f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self._folder} "
                f"-c max_connections=160 -c fsync={self._fsync}"
            )
            self._run("pg_ctl", "-D", data, "-w", "-l", str(self._folder / "log"), "-o", options, "start")
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """Return where its socket is."""
        return self._folder

    @property
    def data(self) -> Path:
        """Return where its files are."""
        return self._folder / "data"

    def create(self, name: str) -> str:
        """Make an empty database and return its address."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "headshotly", name)
        return self.url(name)

    def url(self, name: str, *, role: str = "headshotly") -> str:
        """Return the address of a database for a role."""
        return f"postgresql://{role}@127.0.0.1:{self.port}/{name}"
