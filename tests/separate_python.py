"""Code under Django's settings in a process of its own, on a database of its own."""

import os
import subprocess
import sys
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[1]


def run(url: str, folder: Path, code: str, *arguments: str, **more: str) -> str:
    """Run code and return what it printed; fails the test where the code fails.

    Args:
        url: of the PostgreSQL database, for every connection.
        folder: a scratch folder; the data lie in it.
        code: Python, with Django set up.
        arguments: are its ``sys.argv[1:]``.
        more: further environment.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADSHOTLY_")}
    ran = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{code}", *arguments],
        cwd=_REPOSITORY,
        env=kept
        | {
            "DJANGO_SETTINGS_MODULE": "headshotly.frontdoor.settings",
            "HEADSHOTLY_ENVIRONMENT": "test",
            "HEADSHOTLY_DATA": str(folder / "data"),
            "HEADSHOTLY_DATABASE_URL": url,
        }
        | more,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    return ran.stdout
