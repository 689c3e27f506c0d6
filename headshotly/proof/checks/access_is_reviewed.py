"""Everybody's rights are reviewed in time, and what nobody uses is taken away (clause 2.4.a)."""

from headshotly.access import members, reviews
from headshotly.proof.findings import Assurance, Finding, broken, held, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="access_is_reviewed",
    clauses=("2.4.a",),
    title="Unused rights are taken away",
    words="We look whether the review of everybody's rights, due every 90 days, was done in time.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Look at the clock of the reviews."""
    everybody, due = members.everybody(), reviews.due_at()
    if due is None:
        return unknown("There is no member of staff yet.")
    left = [one.key for one in reviews.unused()]
    if due <= scene.now:
        return broken(
            f"The review of access was due on {due:%Y-%m-%d}; {len(left)} unused rights wait for it.",
            ids=[f"review:{due:%Y-%m-%d}", *left],
            population=len(everybody),
        )
    return held(f"Reviewed in time; the next review is due by {due:%Y-%m-%d}.", population=len(everybody))
