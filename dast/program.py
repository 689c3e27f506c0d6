"""Running a scanner: bounded in time, in a scratch folder, with nothing of ours in its surroundings."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from dast.results import ScanFailed


def run(
    command: Sequence[str], *, seconds: float, scratch: Path, codes: frozenset[int] = frozenset({0})
) -> tuple[float, str]:
    """Run a program to its end.

    Args:
        command: program and arguments.
        seconds: after which it is killed, with what it started.
        scratch: its home and working folder.
        codes: exit codes that mean it did its work.

    Returns:
        How many seconds it took, and what it said.

    Raises:
        ScanFailed: it is missing, took too long, or ended otherwise.
    """
    surroundings = {"HOME": str(scratch), "PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "TMPDIR": str(scratch),
                    "PYTHONWARNINGS": "ignore"}  # fmt: skip
    began = time.monotonic()
    name = Path(command[0]).name
    try:
        child = subprocess.Popen(
            command, env=surroundings, cwd=scratch, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise ScanFailed(f"{name} could not be started: {error.strerror}.") from error
    try:
        said, _ = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        said, _ = child.communicate()
        raise ScanFailed(f"{name} did not end within {seconds:.0f} seconds: …{said.strip()[-600:]}") from None
    if child.returncode not in codes:
        raise ScanFailed(f"{name} ended with {child.returncode}: {said.strip()[-2000:]}")
    return time.monotonic() - began, said
