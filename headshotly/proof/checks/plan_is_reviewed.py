"""The disaster-recovery plan has an owner who is there, and was reviewed as it is now (clause 6.2.a)."""

from headshotly.access import members
from headshotly.continuity import plan, selectors
from headshotly.proof.findings import Assurance, Finding, broken, held, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="plan_is_reviewed",
    clauses=("6.2.a",),
    title="The recovery plan is in force",
    words="We read the recovery plan: somebody must hold the role that owns it, and a member of staff must have "
    "reviewed exactly this text within the time it sets itself.",
    assurance=Assurance.HUMAN,
)
def look(_scene: Scene) -> Finding:
    """Hold the plan against its reviews and the staff."""
    chosen = plan.plan()
    standing = selectors.plan_standing()
    if not any(member.role == chosen.owner for member in members.everybody()):
        return broken(f"Nobody holds the role {chosen.owner}, which owns the plan.", ids=[chosen.owner])
    if selectors.review() is None:
        if selectors.was_ever_reviewed():
            return broken("The plan was changed after its last review.", ids=[chosen.sha256])
        return unknown("Nobody has reviewed the plan yet.")
    if not standing.good:
        return broken("The last review of the plan is too old.", ids=[chosen.sha256])
    return held(
        f"The plan's {len(chosen.steps)} steps were reviewed as they are now; its owner is there.",
        population=len(chosen.steps),
    )
