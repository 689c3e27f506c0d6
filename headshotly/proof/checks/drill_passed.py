"""The last drill passed, inside the objectives, in date, and its record is as it was signed (clause 6.2.b)."""

from headshotly.continuity import report, selectors
from headshotly.proof.findings import Assurance, Finding, broken, held, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="drill_passed",
    clauses=("6.2.b",),
    title="Recovery is exercised",
    words="We read the signed record of the last drill, in which everything was restored into an empty place: the "
    "signature must hold, every step must have run and passed, recovery and loss must have stayed inside the plan's "
    "objectives, and the drill must be in date.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Read the newest record of a drill."""
    newest = next(iter(selectors.drills(1)), None)
    if newest is None:
        return unknown("No drill was held yet.")
    bad = selectors.doubts_about(newest)
    if bad:
        return broken(f"Drill {newest.id}: {bad[0]}", ids=[newest.id], population=1)
    seen = report.of(newest)
    if not seen.fields["objects"]:
        return unknown("The last drill passed, and there was no object yet that it could have restored.")
    return held(
        f"The last drill restored {seen.fields['objects']} objects in {report.span(newest.recovery_seconds or 0)}, "
        f"with {len(seen.steps)} steps, inside the objectives.",
        population=len(seen.steps),
    )
