"""Nobody holds a grant without a current secure-coding training, and nobody could get one (clause 4.1.b)."""

from headshotly.proof.findings import Assurance, Finding
from headshotly.proof.people import look_at_people
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="training_current",
    clauses=("4.1.b",),
    title="Training before access",
    words="We look at everybody who holds access to personal data: each must have passed the secure-coding training, "
    "in date. Then we ask for access for a made-up member who has none; it must be refused.",
    assurance=Assurance.ENFORCED,
)
def look(_scene: Scene) -> Finding:
    """Hold the grants against the trainings and try the gate."""
    return look_at_people("training", called="a current secure-coding training")
