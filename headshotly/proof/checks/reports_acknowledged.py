"""Every report of a weakness is acknowledged by a person in time (clause 10.3)."""

from headshotly.proof import waiting
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.models import WeaknessReport
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="reports_acknowledged",
    clauses=("10.3",),
    title="Reports of weaknesses are acknowledged",
    words="We look at every report of a weakness that came by form or mail: none may wait for a person's "
    "acknowledgement longer than three working days.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Hold the clocks of the reports against now."""
    late, total = waiting.unacknowledged(), WeaknessReport.objects.count()
    if late:
        names = [one.reference for one in late]
        return broken(f"Nobody acknowledged {shorten(names)} in time.", ids=names, population=total)
    return held(
        f"{total} reports of weaknesses came so far, and none waits longer than promised."
        if total
        else "Nobody has reported a weakness yet.",
        population=total,
    )
