"""The folder that the processes of one web server measure into. Apart: ``metrics`` may be loaded only after it."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_LOCK = "server.lock"


def make_folder(parent: Path) -> tuple[Path, int]:
    """Make the folder of a server that starts, and remove those that killed servers left.

    Args:
        parent: where such folders lie.

    Returns:
        The folder, and the descriptor that holds it as long as it is open.
    """
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in parent.iterdir():
        if _is_left(left):
            shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(dir=parent))
    held = os.open(made / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    return made, held


def _is_left(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR)
    except OSError:
        return False  # being made at this moment, or not ours
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
