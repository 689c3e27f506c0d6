"""A third party tested the service for weaknesses within the last year (clause 4.3.a)."""

import datetime as dt

from headshotly.lifecycle import penetration
from headshotly.policy import dates
from headshotly.proof.findings import Assurance, Finding, broken, held, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="tested_from_outside",
    clauses=("4.3.a",),
    title="Penetration tests are in date",
    words="We read the record of penetration tests: the last one by a third party, whose report we keep sealed, must "
    "be no older than a year, and a test that was planned must not have been let slip.",
    assurance=Assurance.HUMAN,
)
def look(_scene: Scene) -> Finding:
    """Hold the last test and the next plan against today."""
    last, due, today = penetration.last_held(), penetration.due_on(), dates.today()
    if last is None or due is None:
        plan = penetration.next_plan()
        if plan is not None and plan.planned_on < today - dt.timedelta(days=30):
            return broken(f"The first test was planned for {plan.planned_on} and has no report.", ids=[plan.id])
        return unknown("No penetration test was held yet.")
    if due < today:
        return broken(f"The last test ended on {last.ended_on}; the next was due by {due}.", ids=[last.id])
    return held(
        f"A third party tested the service until {last.ended_on}; the next test is due by {due}.",
        population=1,
        expires_at=dt.datetime.combine(due + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC),
    )
