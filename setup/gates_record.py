# ruff: noqa: INP001 - a program of its own, no package
"""Writes down which gates ran on which commit: rows of ``gates.sh`` on standard input, a JSON file as the argument."""

import datetime as dt
import json
import re
import subprocess
import sys
from pathlib import Path

_ROW = re.compile(r"^(PASS|FAIL|ERROR|NOT RUN)\s+([^:(]+)")


def git(*arguments: str) -> str:
    """Return what git says, empty where there is no repository."""
    answer = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607 - ours
    return answer.stdout.strip()


def main() -> None:
    """Write the record."""
    found = [_ROW.match(line) for line in sys.stdin.read().splitlines()]
    record = {
        "commit": git("rev-parse", "HEAD"),
        "changed": bool(git("status", "--porcelain")),
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),  # noqa: TID251 - no rooms are loaded here
        "gates": {row[2].strip(): row[1] for row in found if row},
    }
    Path(sys.argv[1]).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
