"""Nobody holds a grant without the confidentiality agreement in force, and nobody could get one (clause 5.1.b)."""

from headshotly.proof.findings import Assurance, Finding
from headshotly.proof.people import look_at_people
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="agreements_signed",
    clauses=("5.1.b",),
    title="Confidentiality before access",
    words="We look at everybody who holds access to personal data: each must have signed the confidentiality agreement "
    "in force. Then we ask for access for a made-up member who has not; it must be refused.",
    assurance=Assurance.ENFORCED,
)
def look(_scene: Scene) -> Finding:
    """Hold the grants against the agreements and try the gate."""
    return look_at_people("agreement", called="a signed confidentiality agreement")
