"""People at high risk are told (clause 8.3.b)."""

from headshotly.incidents.obligations import Addressee
from headshotly.proof.breach_clocks import look_at_clocks
from headshotly.proof.findings import Assurance, Finding
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="people_are_told",
    clauses=("8.3.b",),
    title="People at high risk are told",
    words="We go through every recorded breach: where the risk to people is high, they were told in time, "
    "or an approved decision says why they need not be.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Look at the clocks of every breach."""
    return look_at_clocks(Addressee.PEOPLE, told="the people affected")
