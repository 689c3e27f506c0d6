"""The incident response plan has its roles filled and was practised within a year (clause 8.1.a-b)."""

from headshotly.incidents import exercises, oncall
from headshotly.incidents.plan import plan
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="incident_plan_practised",
    clauses=("8.1.a-b",),
    title="The incident plan is practised",
    words="We look whether somebody is on call for every role of the plan, and whether it was practised with a script, "
    "and passed, within the last year.",
    assurance=Assurance.HUMAN,
)
def look(scene: Scene) -> Finding:
    """Look at the plan, the rota and the record of exercises."""
    roles, due = plan().roles, exercises.due_at()
    if due is None:
        return unknown("No exercise has been held and passed yet.")
    if due <= scene.now:
        return broken(f"The exercise was due on {due:%Y-%m-%d}.", ids=[f"exercise:{due:%Y-%m-%d}"], population=1)
    empty = [duty.value for duty in oncall.uncovered(at=scene.now)]
    if empty:
        return broken(f"Nobody is on call as: {shorten(empty)}.", ids=empty, population=len(roles))
    return held(
        f"Somebody is on call for each of {len(roles)} roles; practised, and due again by {due:%Y-%m-%d}.",
        population=len(roles),
        expires_at=due,
    )
