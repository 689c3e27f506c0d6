"""The whole command as its user runs it: an empty place, no service, 55 honest lines."""

import json
import os
import subprocess
import sys

from headshotly.policy.clauses import clauses


def test_verify_on_a_place_where_nothing_ever_ran(tmp_path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEADSHOTLY_")}
    environment |= {
        "HEADSHOTLY_DATA": str(tmp_path / "data"),
        "HEADSHOTLY_MAIL": str(tmp_path / "mail"),
        "HEADSHOTLY_HTTPS_PORT": "1",
        "HEADSHOTLY_HTTP_PORT": "1",
    }
    answer = subprocess.run(
        [sys.executable, "-m", "headshotly.frontdoor", "policy", "verify", "--format", "json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    rows = {row["clause"]: row for row in json.loads(answer.stdout)}
    assert list(rows) == list(clauses())
    assert answer.returncode in {1, 3}
    assert [clause for clause, row in rows.items() if row["verdict"] == "ERROR"] == [], answer.stderr[-3000:]
    assert rows["3.1.a"]["verdict"] == "PASS"
    assert "scratch listener" in rows["3.1.a"]["reason"]
    assert rows["3.2.a"]["verdict"] == "PASS"
    assert rows["8.2.a"]["verdict"] == "UNKNOWN"
    assert "not running" in rows["8.2.a"]["reason"]
    assert {row["environment"] for row in rows.values()} <= {"emulated", None}
