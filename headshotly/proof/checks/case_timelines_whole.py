"""What people wrote into a case is still what they wrote: its lines match their hashes in the journal (8.1.a-b)."""

from headshotly.incidents import case_selectors
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="case_timelines_whole",
    clauses=("8.1.a-b",),
    title="Nobody rewrites what happened",
    words="Each step of an incident is written down, and its fingerprint kept in the journal. We compare every line of "
    "every case with its fingerprint: none may have been changed or removed.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Hold every case's timeline against the journal."""
    known = case_selectors.real_cases()
    changed = [case.reference for case in known if case_selectors.is_altered(case)]
    if changed:
        return broken(f"Cases whose timeline was changed: {shorten(changed)}.", ids=changed, population=len(known))
    if not known:
        return unknown("There has been no case yet.")
    return held(f"The timelines of all {len(known)} cases are as they were written.", population=len(known))
