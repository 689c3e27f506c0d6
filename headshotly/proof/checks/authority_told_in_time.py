"""The supervisory authority is told of breaches within 72 hours, or a reasoned decision says why not (clause 8.3.a)."""

from headshotly.incidents.obligations import Addressee
from headshotly.proof.breach_clocks import look_at
from headshotly.proof.findings import Assurance, Finding
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="authority_told_in_time",
    clauses=("8.3.a",),
    title="The authority is told in time",
    words="We hold every breach in our register against the 72 hours: either the authority was told, or a "
    "decision not to tell has its reasons and a second person's approval.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Look at the register and its clocks."""
    return look_at(Addressee.AUTHORITY)
