"""No vendor's regular assessment is overdue (clause 9.2)."""

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vendors import selectors


@check(
    id="vendors_are_assessed_again",
    clauses=("9.2",),
    title="Vendors are assessed again in time",
    words="We look when each vendor in use was assessed last: critical ones must be assessed every year, others every "
    "two or three.",
    assurance=Assurance.HUMAN,
)
def look(_scene: Scene) -> Finding:
    """Look at each vendor's next date."""
    today, used = selectors.today(), selectors.in_use()
    bad = [one.vendor.slug for one in used if one.facts.next_assessment is None or one.facts.next_assessment < today]
    if bad:
        return broken(f"The assessment is overdue of {shorten(bad)}.", ids=bad, population=len(used))
    if not used:
        return unknown("No vendor is in use here.")
    return held(f"All {len(used)} vendors in use were assessed in time.", population=len(used))
