"""What was reported to us is ranked, and fixed within the limit of its severity (clause 4.3.b)."""

from headshotly.proof import waiting
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.models import WeaknessReport
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="reports_fixed",
    clauses=("4.3.b",),
    title="Reported weaknesses are fixed in time",
    words="We look at every reported weakness that a person acknowledged and ranked: none may be open longer than its "
    "severity allows, seven to a hundred and eighty days.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Hold the limits for fixing against today."""
    late, total = waiting.unfixed(), WeaknessReport.objects.filter(acknowledged_at__isnull=False).count()
    if late:
        names = [one.reference for one in late]
        return broken(f"{shorten(names)} should be fixed by now.", ids=names, population=total)
    return held(
        f"{total} reported weaknesses were ranked, and none is open past its limit."
        if total
        else "No weakness was reported and ranked yet.",
        population=total,
    )
