"""People are told of breaches with a high risk to them without undue delay (clause 8.3.b)."""

from headshotly.incidents.obligations import Addressee
from headshotly.proof.breach_clocks import look_at
from headshotly.proof.findings import Assurance, Finding
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="people_told_in_time",
    clauses=("8.3.b",),
    title="People are told in time",
    words="We hold every breach in our register against its clock: where the risk to people is high, they "
    "were written to without undue delay.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Look at the register and its clocks."""
    return look_at(Addressee.PEOPLE)
