"""Files that commands leave behind."""

import secrets
from pathlib import Path

from headshotly.policy.refusal import Refusal


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        Refusal: the system would not have it.
    """
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        scratch.write_bytes(data)
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise Refusal(f"{path} could not be written: {error.strerror}.", code="file.write") from error
