"""Every byte the service keeps, as it lies there: files, database rows, objects of a remote store. Opens nothing."""

import mmap
from collections.abc import Buffer, Iterator
from contextlib import closing
from pathlib import Path

from django.apps import apps
from django.db import connections, router

from headshotly.continuity import places
from headshotly.continuity.errors import PlacesRefused
from headshotly.policy.configuration import Configuration
from headshotly.vault import selectors as vault

_REMOTE_OBJECTS = 300
_PIECE = 4 << 20
_CHUNK = 500


def folders(here: Configuration) -> list[Path]:
    """Return every folder the service keeps something in, but the mailboxes, which are their recipients'."""
    named = (Path(value) for name, value in here.options.items() if name.rpartition(".")[2] in {"folder", "mirror"})
    found = [here.data_folder, *(path for path in (*named, *_backups()) if path.is_dir())]
    return [path for path in found if not any(other != path and other in path.parents for other in found)]


def _backups() -> list[Path]:
    try:
        stores = places.stores()
    except PlacesRefused:
        return []  # another check says so
    return [Path(store.where) for store in stores if "://" not in store.where]


def _files(here: Configuration) -> Iterator[tuple[str, Buffer]]:
    for folder in folders(here):
        for path in sorted(folder.rglob("*")):
            try:
                if path.is_symlink() or not path.is_file() or path.stat().st_size == 0:
                    continue
                with path.open("rb") as file, closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as view:
                    yield str(path.relative_to(folder.parent)), view
            except FileNotFoundError:
                continue  # it was removed meanwhile


def _rows() -> Iterator[tuple[str, Buffer]]:
    """Yield every value of text or bytes of every table that is no file here."""
    for model in apps.get_models():
        alias = router.db_for_read(model)
        connection = connections[alias]
        if connection.vendor == "sqlite":
            continue  # its file is read byte by byte
        table = connection.ops.quote_name(model._meta.db_table)
        with connection.cursor() as cursor:
            # nosemgrep: query-made-of-words - quoted above
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - a table of ours, quoted  # nosec B608
            while rows := cursor.fetchmany(_CHUNK):
                values = [value for row in rows for value in row]
                joined = b"\x00".join(
                    bytes(value) if isinstance(value, bytes | bytearray | memoryview) else str(value).encode()
                    for value in values
                )
                yield f"table {model._meta.db_table}", joined


def _objects(here: Configuration) -> Iterator[tuple[str, Buffer]]:
    if here.object_store == "folder":
        return
    for subject, object_id in vault.newest_objects(_REMOTE_OBJECTS):
        for piece in vault.sealed_pieces(subject, object_id, piece=_PIECE):
            yield f"object {object_id}", piece


def pieces(here: Configuration) -> Iterator[tuple[str, Buffer]]:
    """Yield name and bytes of everything kept; a view is valid until the next one.

    A remote object store is read for its newest objects only.
    """
    yield from _files(here)
    yield from _rows()
    yield from _objects(here)
