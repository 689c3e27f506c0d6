"""Every high-risk activity that has begun has an approved, current impact assessment (clause 1.1.b)."""

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.purposes import assessments, selectors
from headshotly.purposes.declarations import activities


@check(
    id="assessments_current",
    clauses=("1.1.b",),
    title="High-risk processing is assessed",
    words="We list the activities that are likely to put people at high risk and look for each one's impact "
    "assessment: approved by the Data Protection Officer, for the activity as it is declared now, and in date.",
    assurance=Assurance.HUMAN,
)
def look(_scene: Scene) -> Finding:
    """Hold the declared activities against the approved assessments."""
    risky = [one for one in activities() if one.needs_dpia]
    left = [one.id for one in assessments.missing(risky)] if risky else []
    begun = [one for one in left if selectors.has_begun(one)]
    if begun:
        return broken(
            f"{shorten(begun)} has begun without an approved, current impact assessment.",
            ids=begun,
            population=len(risky),
        )
    if left:
        return unknown(f"{shorten(left)} has no approved impact assessment, and nothing of it has begun yet.")
    return held(
        f"All {len(risky)} high-risk activities have an approved, current impact assessment.", population=len(risky)
    )
