"""Backup and restore beside Restic and Borg, and pg_dump beside pgBackRest; prints the tables of docs/performance.md.

    python -m bench.continuity [MEGABYTES]

Needs Debian's restic and borgbackup; for the second part postgresql and pgbackrest as well. Every contender does the
same work: two repositories, encrypted, everything read back and checked. Restic and Borg are handed a finished copy of
the database; ours makes its own.
"""

import contextlib
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

from bench.scratch_postgres import ScratchPostgres, available

_ROUNDS = 3
_OBJECT = 1_000_000
_SHARE_NEW = 0.05
_PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("HEADSHOTLY_")}  # noqa: TID251


def _run(*command: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> None:
    done = subprocess.run(
        list(map(str, command)), env={**_PLAIN, **(env or {})}, cwd=cwd, capture_output=True, check=False
    )
    assert done.returncode == 0, (command, done.stderr.decode()[-800:], done.stdout.decode()[-300:])


def _size(*folders: Path) -> int:
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())


@contextlib.contextmanager
def _timed(into: list[float]) -> Iterator[None]:
    os.sync()
    began = time.perf_counter()
    yield
    into.append(time.perf_counter() - began)


class System:
    """A living service of ours with sealed objects in it, on SQLite."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count
        self.environment = {
            "HEADSHOTLY_ENVIRONMENT": "test",
            "HEADSHOTLY_DATA": str(folder / "data"),
            "HEADSHOTLY_MAIL": str(folder / "mail"),
            "DJANGO_SETTINGS_MODULE": "headshotly.frontdoor.settings",
        }
        self._python(
            "from django.core.management import call_command\n"
            "for alias in ('default', 'journal', 'keys'): call_command('migrate', database=alias, verbosity=0)"
        )
        self.grow(count)

    def _python(self, code: str) -> None:
        _run(sys.executable, "-c", f"import django\ndjango.setup()\n{code}", env=self.environment)

    def grow(self, count: int) -> None:
        """Seal so many more objects of a megabyte, of a few customers, and sequence the journal."""
        self._python(
            "import os, uuid\nfrom headshotly.audit.actor import Actor\nfrom headshotly.vault import services\n"
            "from headshotly.audit.sequencing import sequence_once\n"
            f"for start in range(0, {count}, 20):\n"
            "    who = uuid.uuid4(); actor = Actor(kind='customer', id=who)\n"
            "    services.create_customer_key(actor=actor, subject=who)\n"
            f"    for _ in range(min(20, {count} - start)):\n"
            f"        services.seal(actor=actor, subject=who, kind='photo', purpose='p', plaintext=os.urandom({_OBJECT}))\n"  # noqa: E501
            "while sequence_once(): pass"
        )

    @property
    def backups(self) -> list[Path]:
        """Return the folders of both stores."""
        return [self.folder / "backups" / place for place in ("frankfurt", "stockholm")]

    def for_rivals(self, target: Path) -> Path:
        """Return a folder with what a rival backs up: objects, and a finished copy of the databases."""
        target.mkdir(exist_ok=True)
        link = target / "objects"
        if not link.exists():
            _run("cp", "-al", self.folder / "data" / "objects", link)
        else:
            _run("cp", "-aln", f"{self.folder / 'data' / 'objects'}/.", link)
        for name in ("headshotly.sqlite3", "journal.sqlite3"):
            with (
                contextlib.closing(sqlite3.connect(self.folder / "data" / name)) as source,
                contextlib.closing(sqlite3.connect(target / name)) as copy,
            ):
                source.backup(copy)
        return target


class Ours:
    """The program itself."""

    name = "**HeadShotly**"

    def __init__(self, system: System, folder: Path) -> None:
        self._system, self._place = system, folder / "place"
        for store in system.backups:
            shutil.rmtree(store, ignore_errors=True)

    def back_up(self, _source: Path) -> None:
        """Back up into two repositories, and read everything back."""
        _run(sys.executable, "-m", "headshotly.frontdoor", "backup", env=self._system.environment)

    def restore(self) -> None:
        """Restore the newest backup."""
        shutil.rmtree(self._place, ignore_errors=True)
        places = [
            f"folder:{store}@{region}"
            for store, region in zip(self._system.backups, ("eu-central-1", "eu-north-1"), strict=True)
        ]
        env = {
            **self._system.environment,
            "HEADSHOTLY_DATA": str(self._place / "data"),
            "HEADSHOTLY_OPTION_KMS__FOLDER": str(self._system.folder / "data"),
            "HEADSHOTLY_OPTION_BACKUP__STORES": ",".join(places),
        }
        _run(sys.executable, "-m", "headshotly.frontdoor", "restore", env=env)

    def size(self) -> int:
        """Return the bytes of both repositories."""
        return _size(*self._system.backups)


class Restic:
    """Two repositories of Restic's."""

    name = "Restic"

    def __init__(self, _system: System, folder: Path) -> None:
        self._repositories = [folder / "restic-1", folder / "restic-2"]
        self._target = folder / "restic-restored"
        self._env = {"RESTIC_PASSWORD": "bench", "RESTIC_CACHE_DIR": str(folder / "restic-cache"), "HOME": str(folder)}
        for repository in self._repositories:
            _run("restic", "-q", "-r", repository, "init", env=self._env)

    def back_up(self, source: Path) -> None:
        """Back up into two repositories, and read everything back."""
        for repository in self._repositories:
            _run("restic", "-q", "-r", repository, "backup", ".", env=self._env, cwd=source)
            _run("restic", "-q", "-r", repository, "check", "--read-data", env=self._env)

    def restore(self) -> None:
        """Restore the newest backup."""
        shutil.rmtree(self._target, ignore_errors=True)
        _run(
            "restic",
            "-q",
            "-r",
            self._repositories[0],
            "restore",
            "latest",
            "--verify",
            "--target",
            self._target,
            env=self._env,
        )

    def size(self) -> int:
        """Return the bytes of both repositories."""
        return _size(*self._repositories)


class Borg:
    """Two repositories of Borg's."""

    name = "Borg"

    def __init__(self, _system: System, folder: Path) -> None:
        self._repositories = [folder / "borg-1", folder / "borg-2"]
        self._target = folder / "borg-restored"
        self._env = {"BORG_PASSPHRASE": "bench", "BORG_BASE_DIR": str(folder / "borg-base"), "HOME": str(folder)}
        for repository in self._repositories:
            _run("borg", "init", "-e", "repokey-blake2", repository, env=self._env)

    def back_up(self, source: Path) -> None:
        """Back up into two repositories, and read everything back."""
        for repository in self._repositories:
            self._last = uuid4().hex
            _run("borg", "create", f"{repository}::{self._last}", ".", env=self._env, cwd=source)
            _run("borg", "check", "--verify-data", repository, env=self._env)

    def restore(self) -> None:
        """Restore the newest backup."""
        shutil.rmtree(self._target, ignore_errors=True)
        self._target.mkdir()
        _run("borg", "extract", f"{self._repositories[1]}::{self._last}", env=self._env, cwd=self._target)

    def size(self) -> int:
        """Return the bytes of both repositories."""
        return _size(*self._repositories)


class Copy:
    """Two copies, compared; encrypts nothing."""

    name = "plain copy, twice, compared"

    def __init__(self, _system: System, folder: Path) -> None:
        self._targets = [folder / "copy-1", folder / "copy-2"]
        self._restored = folder / "copy-restored"

    def back_up(self, source: Path) -> None:
        """Back up into two repositories, and read everything back."""
        for target in self._targets:
            _run("cp", "-ru", f"{source}/.", target)
            os.sync()
            _run("diff", "-rq", source, target)

    def restore(self) -> None:
        """Restore the newest backup."""
        shutil.rmtree(self._restored, ignore_errors=True)
        _run("cp", "-r", self._targets[0], self._restored)
        os.sync()

    def size(self) -> int:
        """Return the bytes of both repositories."""
        return _size(*self._targets)


def _files(megabytes: int) -> None:
    measured: dict[str, dict[str, list[float]]] = {}
    for round_ in range(_ROUNDS):
        order: list[Callable[..., Ours | Restic | Borg | Copy]] = [Ours, Restic, Borg, Copy]
        random.Random(round_).shuffle(order)
        for contender in order:
            folder = Path(tempfile.mkdtemp(prefix="bench-continuity-"))
            try:
                _one(contender, folder, megabytes, measured)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    ours = {what: statistics.median(values) for what, values in measured[Ours.name].items()}
    print(
        f"\n| {megabytes} MB in objects, two repositories, all read back | first s | of ours | nothing new s | of ours | 5 % new s | of ours | restore s | of ours | size of both, of the data | after 5 % new |"  # noqa: E501
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name, found in measured.items():
        m = {what: statistics.median(values) for what, values in found.items()}
        cells = [f"{m[w]:.1f} | {m[w] / ours[w]:.2f}" for w in ("first", "again", "new", "restore")]
        print(f"| {name} | {' | '.join(cells)} | {m['size']:.3f} | {m['size after']:.3f} |")


def _one(contender: Callable[..., Ours | Restic | Borg | Copy], folder: Path, megabytes: int, measured: dict) -> None:
    system = System(folder / "system", megabytes)
    one = contender(system, folder)
    found = measured.setdefault(one.name, {})
    source = system.for_rivals(folder / "source")
    data = _size(source)
    with _timed(found.setdefault("first", [])):
        one.back_up(source)
    found.setdefault("size", []).append(one.size() / (2 * data))
    with _timed(found.setdefault("again", [])):
        one.back_up(source)
    system.grow(int(megabytes * _SHARE_NEW))
    source = system.for_rivals(folder / "source")
    with _timed(found.setdefault("new", [])):
        one.back_up(source)
    found.setdefault("size after", []).append(one.size() / (2 * _size(source)))
    with _timed(found.setdefault("restore", [])):
        one.restore()
    print(one.name, {what: round(values[-1], 3) for what, values in found.items()}, file=sys.stderr)


def _databases(rows: int) -> None:
    """Compare pg_dump, loaded again by pg_restore, with pgBackRest on one cluster."""
    folder = Path(tempfile.mkdtemp(prefix="bench-pg-"))
    shutil.chown(folder, "postgres", "postgres")
    found: dict[str, list[float]] = {}
    try:
        with ScratchPostgres() as postgres:
            _fill(postgres.create("living"), rows)
            for round_ in range(_ROUNDS):
                _dump(postgres, folder, round_, found)
                _pgbackrest(postgres, folder / f"pgbackrest-{round_}", found)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    m = {what: statistics.median(values) for what, values in found.items()}
    print("\n| PostgreSQL, one database | back up s | size MB | restore s | nothing new s | its size MB |")
    print("|---|---:|---:|---:|---:|---:|")
    print(
        f"| **pg_dump, pg_restore** | {m['dump']:.2f} | {m['dump size']:.1f} | {m['dump restore']:.2f} | {m['dump']:.2f} | {m['dump size']:.1f} |"  # noqa: E501
    )
    print(
        f"| pgBackRest, full then incremental | {m['rest']:.2f} | {m['rest size']:.1f} | {m['rest restore']:.2f} | {m['rest again']:.2f} | {m['rest again size']:.1f} |"  # noqa: E501
    )


def _fill(url: str, rows: int) -> None:
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE TABLE entry (id bigserial PRIMARY KEY, at timestamptz DEFAULT now(), leaf bytea, hash bytea)"
        )
        connection.execute("CREATE EXTENSION IF NOT EXISTS pgcrypto")
        connection.execute(
            'INSERT INTO entry (leaf, hash) SELECT convert_to(\'{"act":"vault.object.opened","id":"\' || gen_random_uuid() || \'","purpose":"owner-view"}\', \'UTF8\')'  # noqa: E501
            " || gen_random_bytes(200), gen_random_bytes(32) FROM generate_series(1, %s)",
            [rows],
        )
        connection.execute("CREATE INDEX ON entry (at, id)")


def _dump(postgres: ScratchPostgres, folder: Path, round_: int, found: dict[str, list[float]]) -> None:
    target, url = folder / f"{round_}.dump", postgres.url("living")
    with _timed(found.setdefault("dump", [])):
        _run("pg_dump", "--format=custom", "--compress=1", f"--file={target}", url)
    found.setdefault("dump size", []).append(target.stat().st_size / 1e6)
    name = postgres.create(f"back{round_}")
    with _timed(found.setdefault("dump restore", [])):
        _run("pg_restore", "--single-transaction", "--exit-on-error", "--dbname", name, target)


def _pgbackrest(postgres: ScratchPostgres, folder: Path, found: dict[str, list[float]]) -> None:
    folder.mkdir()
    shutil.chown(folder, "postgres", "postgres")
    common = [
        "pgbackrest", "--stanza=bench", "--no-config", f"--repo1-path={folder / 'repo'}", f"--log-path={folder}",
        f"--lock-path={folder}", f"--pg1-path={postgres.data}", f"--pg1-port={postgres.port}",
        f"--pg1-socket-path={postgres.folder}", "--pg1-user=headshotly", "--pg1-database=living", "--log-level-console=off",  # noqa: E501
        "--repo1-cipher-type=aes-256-cbc",
    ]  # fmt: skip
    env = {"PGBACKREST_REPO1_CIPHER_PASS": "bench"}

    def run(*more: str) -> None:
        done = subprocess.run(
            [*common, *more], env={**_PLAIN, **env}, capture_output=True, check=False, cwd="/",
            user="postgres", group="postgres", extra_groups=[],
        )  # fmt: skip
        assert done.returncode == 0, (more, done.stderr.decode()[-600:], done.stdout.decode()[-600:])

    run("--no-online", "stanza-create")
    with _timed(found.setdefault("rest", [])):
        run("--no-archive-check", "--start-fast", "--compress-type=gz", "--compress-level=1", "--type=full", "backup")
    full = _size(folder / "repo") / 1e6
    found.setdefault("rest size", []).append(full)
    with _timed(found.setdefault("rest again", [])):
        run("--no-archive-check", "--start-fast", "--compress-type=gz", "--compress-level=1", "--type=incr", "backup")
    found.setdefault("rest again size", []).append(_size(folder / "repo") / 1e6 - full)
    back = folder / "back"
    back.mkdir(mode=0o700)
    shutil.chown(back, "postgres", "postgres")
    living = ("--pg1-path", "--pg1-port", "--pg1-socket-path", "--pg1-user", "--pg1-database")
    common[:] = [one for one in common if not one.startswith(living)] + [f"--pg1-path={back}"]
    with _timed(found.setdefault("rest restore", [])):
        run("--type=none", "restore")


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    for program in ("restic", "borg"):
        assert shutil.which(program), f"{program} is not installed (Debian: apt-get install restic borgbackup)"
    _files(megabytes)
    if available() and shutil.which("pgbackrest"):
        _databases(400_000)
    else:
        print("PostgreSQL or pgBackRest is not installed; the second table is left out.", file=sys.stderr)


if __name__ == "__main__":
    main()
