"""No assessment of a vendor is overdue (clause 9.2)."""

from headshotly.policy import dates
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vendors import selectors


@check(
    id="vendors_reassessed",
    clauses=("9.2",),
    title="Vendors are assessed again in time",
    words="We look when each vendor was last assessed: once a year for those we cannot do without, every two or three "
    "years for the others. None may be overdue.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Hold every due date against today."""
    used, day = selectors.in_use(), dates.today()
    if not used:
        return unknown("No vendor is in use, so there is none to assess.")
    late = [one.vendor.slug for one in used if one.facts.next_assessment is None or one.facts.next_assessment < day]
    if late:
        return broken(f"The assessment is overdue: {shorten(late)}.", ids=late, population=len(used))
    return held(f"{len(used)} vendors, none overdue.", population=len(used))
