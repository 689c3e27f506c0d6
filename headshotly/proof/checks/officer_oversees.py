"""The Data Protection Officer's seat is filled and nothing in their queue has aged past its limit (clause 1.1.c)."""

from headshotly.access import oversight
from headshotly.access.models import Role
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.rights import queue


@check(
    id="officer_oversees",
    clauses=("1.1.c",),
    title="A Data Protection Officer is there and keeps up",
    words="We look whether somebody holds the role of Data Protection Officer and can sign in, and whether anything "
    "that waits for them is past its legal limit.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Look at the seat and the queue."""
    seated = oversight.seated(Role.DPO)
    if not seated:
        return broken("Nobody who can sign in holds the role of Data Protection Officer.", ids=["seat:dpo"])
    late = [one.request.reference for one in queue.overdue()]
    if late:
        return broken(
            f"Requests wait for the Data Protection Officer past their limit: {shorten(late)}.",
            ids=late,
            population=len(seated) + len(late),
        )
    return held("The seat is filled, and nothing in its queue is past its limit.", population=len(seated))
