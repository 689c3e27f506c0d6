"""Kill -9 over writers, readers and sequencers: nothing committed is lost, nothing is sequenced twice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]


def _environment(folder: Path, *, url: str = "") -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADSHOTLY_")}
    return {
        **kept,
        "HEADSHOTLY_ENVIRONMENT": "test",
        "HEADSHOTLY_DATA": str(folder / "data"),
        "HEADSHOTLY_MAIL": str(folder / "mail"),
        **({"HEADSHOTLY_DATABASE_URL": url} if url else {}),
    }


@pytest.mark.clause("5.3.a")
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_nothing_committed_is_lost_and_nothing_is_sequenced_twice(engine, tmp_path, request):
    url = request.getfixturevalue("scratch_postgres").create("crashes") if engine == "postgresql" else ""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.audit.crash_nursery", "5", "20261124"],
        cwd=_REPOSITORY,
        env=_environment(tmp_path, url=url),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["failures"] == 0, ran.stderr
    assert found["lost"] == 0
    assert found["doubled"] == 0
    assert found["undone but held"] == 0
    assert found["waiting"] == 0
    assert found["damaged"] == 0
    # An act may be committed and its doer killed before saying so: at most one a kill, and the five at the end.
    assert found["unsaid"] <= found["kills"] + 5
    assert found["verified"] == found["said"] + found["unsaid"]
    assert found["kills"] >= 20
    assert found["by sequencers"] > 0
