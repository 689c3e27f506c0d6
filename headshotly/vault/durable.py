"""Writing a file so that after a crash it is there whole or not at all."""

import errno
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from headshotly.vault.errors import StoreFull, StoreUnavailable

_SCRATCH = ".partial-"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write(path: Path, pieces: Iterable[bytes]) -> int:
    """Write a file atomically and durably.

    A crash before the rename leaves a scratch file that no reader sees and ``sweep`` removes; after it, the file.

    Args:
        path: where the file shall be; an existing file is replaced.
        pieces: its content.

    Returns:
        How many bytes were written.

    Raises:
        StoreFull: there is no room left.
        StoreUnavailable: writing failed for another reason; the scratch file is removed.
    """
    scratch = path.with_name(f"{_SCRATCH}{secrets.token_hex(8)}")
    written = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                written += file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise refusal(error) from error
    finally:
        # After a successful rename there is nothing of this name any more.
        scratch.unlink(missing_ok=True)
    return written


def sync_folder(folder: Path) -> None:
    """Make a rename or removal in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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


def refusal(error: OSError) -> StoreUnavailable:
    """Return the refusal for a failed file operation, in plain words."""
    if error.errno in _NO_ROOM:
        return StoreFull("There is no storage space left, so nothing was saved. Please try again later.")
    return StoreUnavailable("The storage did not answer as it should, so nothing was saved.")


def is_scratch(path: Path) -> bool:
    """Say whether a file is an unfinished write."""
    return path.name.startswith(_SCRATCH)
