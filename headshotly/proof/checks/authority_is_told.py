"""The authority is told within 72 hours (clause 8.3.a)."""

from headshotly.incidents.obligations import Addressee
from headshotly.proof.breach_clocks import look_at_clocks
from headshotly.proof.findings import Assurance, Finding
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="authority_is_told",
    clauses=("8.3.a",),
    title="The authority is told within 72 hours",
    words="We go through every recorded breach of personal data: where the supervisory authority must be "
    "told, it was, within 72 hours, or somebody decided with reasons and approval that a risk is "
    "unlikely.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Look at the clocks of every breach."""
    return look_at_clocks(Addressee.AUTHORITY, told="the supervisory authority")
