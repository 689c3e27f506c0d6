"""Every request about somebody's data was or can still be answered in time (clause 1.2.c)."""

import datetime as dt

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.rights import queue

_SINCE = dt.timedelta(days=730)  # 24 months, as long as requests are kept (11 CCR 7101)


@check(
    id="requests_in_time",
    clauses=("1.2.c",),
    title="Requests are answered in time",
    words="We go through every request to know, correct or delete that is kept, and look whether it was answered "
    "within the legal limit, or still can be.",
    assurance=Assurance.MEASURED,
)
def look(scene: Scene) -> Finding:
    """Hold each request against its clock."""
    since = scene.now - _SINCE
    received = sum(one.received for one in queue.figures(since=since))
    overdue = [one.request.reference for one in queue.overdue()]
    late = overdue or queue.answered_late(since=since)
    if late:
        return broken(f"Requests past their limit: {shorten(late)}.", ids=late, population=received)
    if not received:
        return unknown("Nobody has asked for anything yet.")
    return held(f"All {received} requests of two years were answered in time or still can be.", population=received)
