"""The incident response plan names its roles and steps, and was exercised in time (clause 8.1.a-b)."""

from headshotly.incidents import exercises, plan
from headshotly.incidents.escalation import Duty
from headshotly.incidents.phases import Phase
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene

# What the sentence of the policy promises: detection, containment, eradication, recovery, communication.
_PROMISED = {Phase.DETECTION, Phase.CONTAINMENT, Phase.ERADICATION, Phase.RECOVERY, Phase.COMMUNICATION}


def _gaps() -> list[str]:
    """Return which promised phase or role the plan in force says nothing about."""
    known = plan.plan()
    described = {one.phase for one in known.procedures if one.steps}
    missing = [f"phase {one.value}" for one in _PROMISED - described]
    return missing + [f"role {duty.value}" for duty in set(Duty) - {role.duty for role in known.roles}]


@check(
    id="response_is_ready",
    clauses=("8.1.a-b",),
    title="The response plan is whole and exercised",
    words="We read the incident response plan for its roles and for the steps of each phase that the policy names, and "
    "look whether it was exercised within a year, to the end and with success.",
    assurance=Assurance.HUMAN,
)
def look(scene: Scene) -> Finding:
    """Read the plan and the record of exercises."""
    gaps = _gaps()
    if gaps:
        return broken(f"The plan says nothing about {shorten(gaps)}.", ids=gaps)
    due, last = exercises.due_at(), exercises.last_passed()
    if due is None or last is None:
        return unknown("The plan names its roles and steps, and no exercise of it has been held to its end yet.")
    if due <= scene.now:
        return broken(
            f"The plan was last exercised more than a year ago; that was due by {due:%Y-%m-%d}.", ids=["exercise"]
        )
    return held(f"The plan names every role and phase, and must be exercised again by {due:%Y-%m-%d}.", population=1)
