"""No case is past its clock, and no alert lies about without one (clause 5.3.b)."""

from headshotly.incidents import case_selectors
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="cases_in_time",
    clauses=("5.3.b",),
    title="Nothing suspicious is left lying",
    words="We look at every case that is being investigated: somebody must have taken it in time, and none may be past "
    "the limit that its severity sets.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Look at the clock of every case."""
    late = [line.case.reference for line in case_selectors.late()]
    known = len(case_selectors.open_lines()) + len(case_selectors.closed_cases(limit=1000))
    if late:
        return broken(f"Past their clock: {shorten(late)}.", ids=late, population=max(known, len(late)))
    if not known:
        return unknown("There has been no case yet.")
    return held(f"None of {known} cases is past its clock.", population=known)
