"""What scans and tests found is ranked, and fixed within the limit of its severity (clause 4.3.b)."""

from headshotly.lifecycle import limits, selectors
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="findings_in_time",
    clauses=("4.3.b",),
    title="Findings are fixed in time",
    words="We look at every finding of our scans and of penetration tests: none may be open longer than its severity "
    "allows, and what was accepted for a time counts again once that time is over.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Hold the limits for fixing against today."""
    late, total = selectors.overdue(), selectors.total()
    if late:
        names = [one.reference for one in late]
        return broken(f"{shorten(names)} should be fixed by now.", ids=names, population=total)
    allowed = ", ".join(f"{severity.label.lower()} {days}" for severity, days in limits.days().items())
    return held(
        f"{total} findings were ranked, and none is past its limit in days ({allowed})."
        if total
        else "No scan or test has found anything yet, or none was taken in.",
        population=total,
    )
