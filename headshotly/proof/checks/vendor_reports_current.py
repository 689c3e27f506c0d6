"""Every vendor we cannot do without has an audit report in date (clause 9.1.c)."""

from headshotly.policy import dates
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vendors import selectors
from headshotly.vendors.regions import in_union


@check(
    id="vendor_reports_current",
    clauses=("9.1.c",),
    title="Vendors keep the law, on paper in date",
    words="We look at every vendor in use: one that gets personal data must process in the European Union, and one we "
    "cannot do without must have an independent audit report on file that is in date.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Read the papers of every vendor in use."""
    used, day = selectors.in_use(), dates.today()
    if not used:
        return unknown("No vendor is in use, so there is nobody whose papers could be looked at.")
    late = [
        one.vendor.slug
        for one in used
        if one.vendor.tier == "critical" and (one.facts.evidence_until is None or one.facts.evidence_until < day)
    ]
    if late:
        return broken(f"No audit report in date: {shorten(late)}.", ids=late, population=len(used))
    outside = [one.vendor.slug for one in used if one.vendor.categories and not all(map(in_union, one.vendor.regions))]
    if outside:
        return broken(f"Personal data would leave the Union to {shorten(outside)}.", ids=outside, population=len(used))
    return held(f"{len(used)} vendors in use, papers in date, data in the Union.", population=len(used))
