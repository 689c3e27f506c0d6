"""Looks for card numbers in everything that is kept: rows, files, logs (clause 7.1.b). Names places, never numbers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from headshotly.orders.card_numbers import holds_one
from headshotly.policy.enforcement import enforces

_CHUNK = 500
_PIECE, _OVERLAP = 1 << 20, 64
_SMALLEST = 10**11  # of twelve digits
# What holds no text: objects are sealed, pictures and databases are not text; their rows are read as rows.
_NOT_TEXT = (".sealed", ".sqlite3", ".sqlite3-wal", ".sqlite3-shm", ".sqlite3-journal")


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found.

    Attributes:
        places: such as ``table orders_order.package_id``, each once; empty is good.
        values: how many values and pieces of files were read.
    """

    places: tuple[str, ...]
    values: int


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int):
        return str(value) if value >= _SMALLEST else ""
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return ""  # sealed, or no text
    return str(value)


def rows(alias: str, *, tables: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield place and text of every value of a database, whatever made its tables.

    Args:
        alias: of the connection.
        tables: only these; every one where none is named.
    """
    connection: BaseDatabaseWrapper = connections[alias]
    wanted = set(tables)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if wanted and table not in wanted:
                continue
            # nosemgrep: query-made-of-words - the connection quotes it
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 # nosec B608 - quoted
            names = [column[0] for column in cursor.description]
            while found := cursor.fetchmany(_CHUNK):
                for row in found:
                    for name, value in zip(names, row, strict=True):
                        yield f"table {table}.{name}", _text(value)


def files(folders: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Yield name and text of every file that holds text, piece by piece."""
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if not path.is_file() or path.is_symlink() or path.name.endswith(_NOT_TEXT):
                continue
            with path.open("rb") as file:
                rest = b""
                while piece := file.read(_PIECE):
                    joined = rest + piece
                    rest = joined[-_OVERLAP:]
                    if b"\x00" in joined:
                        break  # no text
                    yield f"file {path.name}", joined.decode(errors="replace")


@enforces("7.1.b")
def scan(*, aliases: Iterable[str] = ("default", "journal", "keys"), folders: Iterable[Path] = ()) -> Scan:
    """Look for card numbers in databases and folders.

    Args:
        aliases: connections to read; one that leads to the same database as another is read once.
        folders: folders and files with logs, mails and whatever else is kept as text.
    """
    places, values, seen = set(), 0, set()
    for alias in aliases:
        settings = connections[alias].settings_dict
        database = (str(settings["NAME"]), settings.get("HOST", ""), settings.get("PORT", ""))
        if database in seen:
            continue
        seen.add(database)
        for place, text in rows(alias):
            values += 1
            if text and holds_one(text):
                places.add(place)
    for place, text in files(folders):
        values += 1
        if holds_one(text):
            places.add(place)
    return Scan(tuple(sorted(places)), values)
