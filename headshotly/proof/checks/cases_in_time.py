"""Unusual access and unauthorised attempts are cases with an owner and a clock, and none is past it (clause 5.3.b)."""

from headshotly.incidents import case_selectors
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="cases_in_time",
    clauses=("5.3.b",),
    title="Nothing unusual lies unattended",
    words="Every alert that matters opens a case with an owner and a clock. We look whether any case is past it, "
    "and whether anything was changed in what people wrote down about it.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Hold every case against its clock, and its timeline against the journal."""
    real = case_selectors.real_cases()
    late = [line.case.reference for line in case_selectors.late()]
    changed = [case.reference for case in real if case_selectors.is_altered(case)]
    if late:
        return broken(f"Cases past their clock: {shorten(late)}.", ids=[*late, *changed], population=len(real))
    if changed:
        return broken(f"Cases whose timeline was changed: {shorten(changed)}.", ids=changed, population=len(real))
    if not real:
        return unknown("No case has been opened yet.")
    return held(f"None of {len(real)} cases is past its clock, and no timeline was changed.", population=len(real))
