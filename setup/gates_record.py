# ruff: noqa: INP001 - a program of its own, no package
"""Writes down which gates ran on which commit: rows of ``gates.sh`` on standard input, a JSON file as the argument.

``--add`` adds rows to the record that is there, as ``.ci/run`` does with the suites, where it is about the same commit.
"""

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
    """Write the record, or add to it.

    Raises:
        SystemExit: it shall be added to, and there is none of the commit that stands here.
    """
    path, adding = Path(sys.argv[1]), sys.argv[2:] == ["--add"]
    found = [_ROW.match(line) for line in sys.stdin.read().splitlines()]
    gates = {row[2].strip(): row[1] for row in found if row}
    commit, changed = git("rev-parse", "HEAD"), bool(git("status", "--porcelain"))
    if adding:
        before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if before.get("commit") != commit:
            sys.exit("The record of the gates is of another commit; run them all again.")
        gates, changed = before["gates"] | gates, changed or before["changed"]
    record = {
        "commit": commit,
        "changed": changed,
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),  # noqa: TID251 - no rooms are loaded here
        "gates": gates,
    }
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
