"""The last recovery drill passed, in date and inside the objectives (clause 6.2.b)."""

from headshotly.continuity import plan, selectors
from headshotly.proof.findings import Assurance, Finding, broken, held, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="drill_passed",
    clauses=("6.2.b",),
    title="The last drill brought everything back",
    words="We look at the newest drill, which restores everything into an empty place and checks every object and the "
    "journal: it must have passed, recently enough, and inside the objectives for time and loss.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Hold the newest drill against the plan's objectives."""
    drills, objectives = selectors.drills(most=1), plan.plan().objectives
    if not drills:
        return unknown("No drill was held yet.")
    newest, standing = drills[0], selectors.drill_standing()
    name = f"drill {newest.id}"
    if not newest.passed:
        return broken(f"The newest drill failed: {newest.sentence}", ids=[name])
    if not standing.good:
        return broken(f"The last drill was on {newest.began_at:%Y-%m-%d}, too long ago.", ids=[name])
    recovery, loss = newest.recovery_seconds, newest.loss_seconds
    if recovery is None or recovery > objectives.recovery.total_seconds():
        return broken("The last drill took longer than the plan allows, or did not measure it.", ids=[name])
    if loss is None or loss > objectives.data_loss.total_seconds():
        return broken("The last drill lost more than the plan allows, or did not measure it.", ids=[name])
    return held(
        f"The drill of {newest.began_at:%Y-%m-%d} brought everything back in {recovery:.0f} seconds.", population=1
    )
