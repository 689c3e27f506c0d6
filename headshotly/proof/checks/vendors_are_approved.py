"""No vendor is used without an approved examination by two people (clause 9.1.a)."""

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vendors import selectors


@check(
    id="vendors_are_approved",
    clauses=("9.1.a",),
    title="Every vendor was examined and approved",
    words="We go through the register of vendors: each one in use must have been examined with our questionnaire, and "
    "the examination and the use must have been approved by somebody other than who proposed them.",
    assurance=Assurance.HUMAN,
)
def look(_scene: Scene) -> Finding:
    """Hold every vendor in force against its examination."""
    used = selectors.in_use()
    bad = [one.vendor.slug for one in used if one.facts.assessed_on is None]
    bad += [one.vendor.slug for one in used if one.vendor.decided_by in {"", one.vendor.proposed_by}]
    if bad:
        return broken(f"In use without an approved examination: {shorten(bad)}.", ids=bad, population=len(used))
    if not used:
        return unknown("No vendor is in use here.")
    return held(f"All {len(used)} vendors in use were examined and approved.", population=len(used))
