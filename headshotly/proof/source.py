"""Which source this process runs from, so that evidence says what it is evidence about."""

import shutil
import subprocess  # nosec B404 - one fixed command
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from headshotly.policy import configuration

_REPOSITORY = Path(__file__).resolve().parents[2]


@cache
def running_source() -> str:
    """Return the commit this process runs from, or the package's version where there is no repository.

    A container has no repository; its image's build names the commit in the option ``release.commit``.
    """
    named = configuration.current().options.get("release.commit", "")
    return named or _commit() or f"version {_version()}"


def _commit() -> str:
    git = shutil.which("git")
    if git is None or not (_REPOSITORY / ".git").exists():
        return ""
    try:
        found = subprocess.run(  # noqa: S603 - no word of it comes from outside
            [git, "-C", str(_REPOSITORY), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()


def _version() -> str:
    try:
        return version("headshotly")
    except PackageNotFoundError:
        return "unknown"
