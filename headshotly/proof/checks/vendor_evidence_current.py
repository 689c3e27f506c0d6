"""What shows that vendors comply is on file and in date (clause 9.1.c)."""

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.vendors import selectors
from headshotly.vendors.regions import in_union
from headshotly.vendors.selectors import Judged


def _wrong(one: Judged) -> list[str]:
    facts, today, bad = one.facts, selectors.today(), []
    if facts.categories and (facts.agreement_until is None or facts.agreement_until < today):
        bad.append(f"{one.vendor.slug}: no agreement in force")
    if facts.tier == "critical" and (facts.evidence_until is None or facts.evidence_until < today):
        bad.append(f"{one.vendor.slug}: no current audit report")
    bad += [f"{one.vendor.slug}: {place}" for place in facts.regions if facts.categories and not in_union(place)]
    return bad


@check(
    id="vendor_evidence_current",
    clauses=("9.1.c",),
    title="Vendors' evidence is current",
    words="For each vendor in use we look at the papers on file: the agreement with its standard clauses, for critical "
    "vendors an independent audit report, all in date, and places of processing inside the European Union.",
    assurance=Assurance.VENDOR,
)
def look(_scene: Scene) -> Finding:
    """Look at every vendor's papers."""
    used = selectors.in_use()
    bad = [wrong for one in used for wrong in _wrong(one)]
    if bad:
        return broken(f"A vendor's evidence is missing or out of date: {shorten(bad)}.", ids=bad, population=len(used))
    if not used:
        return unknown("No vendor is in use here.")
    return held(f"The evidence of all {len(used)} vendors in use is on file and in date.", population=len(used))
