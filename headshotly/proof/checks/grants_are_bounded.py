"""No standing access: every grant was approved by somebody else and ends; break-glass is reviewed (clause 2.4.c)."""

from headshotly.access import oversight
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="grants_are_bounded",
    clauses=("2.4.c",),
    title="Access ends by itself",
    words="We look at every grant ever approved: somebody else must have approved it, and it must end within the time "
    "asked for. An emergency opening must have been reviewed within three days.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Look at every grant."""
    approved = oversight.approved_grants()
    bad = [f"grant {one.id}" for one in oversight.improper_grants()]
    bad += [f"unreviewed {one.id}" for one in oversight.overdue_glass()]
    if bad:
        return broken(f"Access without bounds: {shorten(bad)}.", ids=bad, population=approved)
    if not approved:
        return unknown("No access was ever granted here.")
    return held(f"All {approved} grants were approved by somebody else and end by themselves.", population=approved)
