"""The disaster recovery plan in force was reviewed in time (clause 6.2.a)."""

from headshotly.continuity import plan, selectors
from headshotly.proof.findings import Assurance, Finding, broken, held, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="recovery_plan_current",
    clauses=("6.2.a",),
    title="The recovery plan is in force",
    words="We read the disaster recovery plan that the software carries, with its owner, objectives and steps, and "
    "look whether a member of staff reviewed exactly this text within the time it sets itself.",
    assurance=Assurance.HUMAN,
)
def look(_scene: Scene) -> Finding:
    """Hold the newest review against the plan as it stands."""
    known, standing = plan.plan(), selectors.plan_standing()
    if not (known.owner and known.steps):
        return broken("The plan names no owner or no steps.", ids=["plan"])
    if standing.age is None:
        return unknown(f"The plan has {len(known.steps)} steps, and nobody has reviewed it as it stands.")
    if not standing.good:
        return broken(f"The plan was last reviewed {standing.age.days} days ago, too long.", ids=["plan:review"])
    return held(f"The plan of {len(known.steps)} steps was reviewed {standing.age.days} days ago.", population=1)
