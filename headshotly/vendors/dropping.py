"""Files that stand for what would have left the house: whole or not there, readable by their owner only."""

import os
import secrets
from pathlib import Path


def drop(path: Path, data: bytes) -> None:
    """Put a file into a folder that stands for a mailbox or a chat; one of the same name is replaced.

    A crash leaves a hidden scratch file or the whole one.

    Raises:
        OSError: it could not be written; nothing of it is there.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = path.with_name(f".{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
