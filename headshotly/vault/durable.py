"""Files that are there whole or not at all after a crash, and files that are gone when we say so."""

import contextlib
import datetime as dt
import errno
import fcntl
import os
import secrets
from collections.abc import Buffer, Iterable, Iterator
from pathlib import Path

from headshotly.vault.errors import StoreFull, StoreUnavailable

_SCRATCH = ".partial-"
_LEAVING = ".leaving-"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_BLOCK = bytes(1 << 20)


def refusal(error: OSError) -> StoreUnavailable:
    """Return the refusal for a failed file operation, in plain words."""
    if error.errno in _NO_ROOM:
        return StoreFull("There is no storage space left, so nothing was saved. Please try again later.")
    return StoreUnavailable("The storage did not answer as it should. Please try again later.")


def sync_folder(folder: Path) -> None:
    """Make a rename, link or removal in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, readable by their owner only, so that they survive a crash."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def _write_scratch(path: Path, pieces: Iterable[Buffer]) -> tuple[Path, int]:
    """Write a scratch file beside ``path`` and sync it; return it and how many bytes it holds."""
    make_folder(path.parent)
    scratch = path.with_name(f"{_SCRATCH}{secrets.token_hex(8)}")
    written = 0
    try:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                written += file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    return scratch, written


def write(path: Path, pieces: Iterable[Buffer]) -> int:
    """Write a file atomically and durably, replacing an existing one.

    A crash before the rename leaves a scratch file that no reader sees and ``sweep`` removes; after it, the file.

    Args:
        path: where the file shall be.
        pieces: its content; each piece is written before the next is asked for.

    Returns:
        How many bytes were written.

    Raises:
        StoreFull: there is no room left.
        StoreUnavailable: writing failed for another reason; nothing is left.
    """
    try:
        scratch, written = _write_scratch(path, pieces)
        try:
            scratch.replace(path)
        except OSError:
            scratch.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise refusal(error) from error
    return written


def write_new(path: Path, pieces: Iterable[Buffer]) -> bool:
    """Write a file as ``write`` does, unless there is one already.

    Of two writers the first link wins; both find the same file afterwards.

    Returns:
        True when this call made the file.

    Raises:
        StoreFull: there is no room left.
        StoreUnavailable: writing failed for another reason; nothing is left.
    """
    try:
        scratch, _ = _write_scratch(path, pieces)
        try:
            os.link(scratch, path)
        except FileExistsError:
            return False
        finally:
            scratch.unlink(missing_ok=True)
            sync_folder(path.parent)
    except OSError as error:
        raise refusal(error) from error
    return True


def append(path: Path, data: bytes) -> None:
    """Append whole lines to a file durably, making it where there is none.

    They begin on a line of their own: one that a crash tore before stays torn.

    Raises:
        StoreFull: there is no room left.
        StoreUnavailable: they are not known to be on the disk.
    """
    try:
        make_folder(path.parent)
        fresh = not path.exists()
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(b"\n" + data)
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            sync_folder(path.parent)
    except OSError as error:
        raise refusal(error) from error


def remove(path: Path) -> None:
    """Remove a file durably; one that is not there is as good as removed.

    Raises:
        StoreUnavailable: the file may still be there.
    """
    try:
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            sync_folder(path.parent)
    except OSError as error:
        raise refusal(error) from error


def erase(path: Path) -> None:
    """Remove a small secret file: unreadable at once, overwritten, then unlinked.

    A crash after the rename leaves a file that no reader opens; ``remnants`` names it and repeating removes it.
    Overwriting is a courtesy of plain disks; flash may keep old blocks, which is why keys are wrapped as well.

    Raises:
        StoreUnavailable: the file may still be there.
    """
    leaving = path.with_name(f"{_LEAVING}{path.name}")
    try:
        with contextlib.suppress(FileNotFoundError):
            path.replace(leaving)
            sync_folder(path.parent)
        _shred(leaving)
    except OSError as error:
        raise refusal(error) from error


def replace_erasing(path: Path, content: bytes) -> None:
    """Replace a small secret file's content and overwrite what it held before.

    A crash leaves the old file or the new one in place, and perhaps the old one under a name no reader opens.

    Raises:
        StoreFull: there is no room left; the old content stands.
        StoreUnavailable: replacing failed; the old content or the new one stands.
    """
    leaving = path.with_name(f"{_LEAVING}{path.name}")
    try:
        _shred(leaving)
        if path.exists():
            os.link(path, leaving)
        write(path, [content])
        _shred(leaving)
    except OSError as error:
        raise refusal(error) from error


def _shred(path: Path) -> None:
    """Overwrite and unlink a file, if it is there."""
    if not path.exists():
        return
    # Never one that is still linked under its own name: replacing was cut short, and that content is in force.
    if path.stat().st_nlink == 1:
        with path.open("r+b") as file:
            missing = path.stat().st_size
            while missing > 0:
                missing -= file.write(_BLOCK[:missing])
            file.flush()
            os.fsync(file.fileno())
    path.unlink()
    sync_folder(path.parent)


def remnants(path: Path) -> list[Path]:
    """Return what is still on the disk of a file, also where a removal was cut short."""
    return [place for place in (path, path.with_name(f"{_LEAVING}{path.name}")) if place.exists()]


def is_unfinished(path: Path) -> bool:
    """Say whether a file is an unfinished write or removal."""
    return path.name.startswith((_SCRATCH, _LEAVING))


def sweep(folder: Path, *, before: dt.datetime) -> int:
    """Remove unfinished writes older than a moment, left by crashes; return how many."""
    removed = 0
    for path in list(folder.rglob(f"{_SCRATCH}*")):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before.timestamp():
                remove(path)
                removed += 1
    return removed


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock between processes and threads of one machine, released by the system on a crash.

    Raises:
        StoreUnavailable: the lock file cannot be made.
    """
    try:
        make_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise refusal(error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
