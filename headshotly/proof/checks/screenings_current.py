"""Nobody holds a grant without a passed, current background check, and nobody could get one (clause 5.2)."""

from headshotly.proof.findings import Assurance, Finding
from headshotly.proof.people import look_at_people
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="screenings_current",
    clauses=("5.2",),
    title="Background check before access",
    words="We look at everybody who holds access to personal data: each must have passed a background check that is "
    "in date. Then we ask for access for a made-up member who has none; it must be refused.",
    assurance=Assurance.ENFORCED,
)
def look(_scene: Scene) -> Finding:
    """Hold the grants against the background checks and try the gate."""
    return look_at_people("background check", called="a current background check")
