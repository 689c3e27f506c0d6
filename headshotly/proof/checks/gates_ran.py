"""The gates of the secure life cycle ran on the very commit that is running, and all passed (clause 4.1.a)."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from headshotly.lifecycle.releases import missing_gates
from headshotly.policy.configuration import Configuration
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.proof.source import running_source

_REPOSITORY = Path(__file__).resolve().parents[3]
_SHOWN = 12


def _record(here: Configuration) -> dict[str, Any] | None:
    """Return what ``.ci/run`` left, or None; the option ``release.gates`` names another place."""
    path = Path(here.options.get("release.gates") or _REPOSITORY / "build" / "gates.json")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("gates"), dict) else None


@check(
    id="gates_ran",
    clauses=("4.1.a",),
    title="The gates ran on the running commit",
    words="We read the record that the gates of our continuous integration leave: style, types, layering, security of "
    "the code, our own rules, libraries, secrets, licences, bill of materials, infrastructure, the scans of the "
    "running service, and every test on both databases. They must have run on exactly the source that is running, and "
    "every one must have passed.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Hold the record of the gates against the running source."""
    record, source = _record(scene.here), running_source()
    if record is None:
        return unknown("The gates left no record here; “.ci/run” runs them all.")
    commit, gates = str(record.get("commit", "")), {str(name): str(said) for name, said in record["gates"].items()}
    failed = [name for name, said in gates.items() if said == "FAIL"]
    if failed:
        return broken(f"A gate failed on {commit[:_SHOWN]}: {shorten(failed)}.", ids=failed, population=len(gates))
    if commit != source or record.get("changed") is not False:
        return unknown(f"The gates last ran on {commit[:_SHOWN] or 'nothing'}, and {source[:_SHOWN]} is running.")
    left_out = missing_gates(gates)
    if left_out:
        return unknown(f"On the running commit {shorten(left_out)} did not run.")
    ran = dt.datetime.fromisoformat(str(record["at"]))
    return held(
        f"All {len(gates)} gates passed on the running commit {commit[:_SHOWN]}.",
        population=len(gates),
        observed_from=ran,
    )
