"""What was seen earlier is still what was written down: rows, hashes and the journal agree (clause 1.3.a)."""

import re

from headshotly.audit import selectors as journal
from headshotly.audit.acts import Act
from headshotly.proof import evidence, selectors, services
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.models import CheckRun
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

_MOST = 200
_ENTRY = re.compile(r"run ([0-9a-f-]{36}) of (\d+) checks, sha256 ([0-9a-f]{64})")


def _wrong(run: CheckRun) -> bool:
    rows = selectors.evidence_of(run)
    if len(rows) != run.evidence_count or any(row.sha256 != evidence.digest(services.fields_of(row)) for row in rows):
        return True
    return run.sha256 != evidence.digest_of_run(str(run.id), (row.sha256 for row in rows))


@check(
    id="evidence_is_whole",
    clauses=("1.3.a",),
    title="Earlier evidence is untouched",
    words="We recompute the hash of every piece of evidence of the newest runs and compare it with what the journal "
    "says about each run; a changed, missing or added piece would show.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Recompute the newest runs and hold them against the journal."""
    runs = {str(run.id): run for run in selectors.runs(most=_MOST)}
    bad = [f"run {run_id}" for run_id, run in runs.items() if _wrong(run)]
    entries = 0
    for leaf in journal.leaves_of_acts((Act.CHECKS_RUN,), newest=_MOST):
        named = _ENTRY.match(leaf.purpose)
        if named is None:
            continue
        entries += 1
        run = runs.get(named[1]) or CheckRun.objects.filter(id=named[1]).first()
        if run is None or (run.evidence_count, run.sha256) != (int(named[2]), named[3]):
            bad.append(f"run {named[1]}")
    if bad:
        return broken(f"Evidence was changed or removed: {shorten(bad)}.", ids=bad, population=len(runs) + len(bad))
    if not runs:
        return unknown("There is no earlier evidence yet.")
    return held(
        f"{len(runs)} earlier runs are as they were written down, {entries} of them in the journal.",
        population=len(runs),
    )
