"""No risk remains above the line unless somebody else accepted it, and none is past its review (clause 1.1.e)."""

from headshotly.proof.findings import Assurance, Finding, broken, held, shorten, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene
from headshotly.purposes import risks


@check(
    id="risks_accepted",
    clauses=("1.1.e",),
    title="No unaccepted risk above the line",
    words="We read the register of risks: what remains above the accepted level must have been accepted by somebody "
    "other than its author, and every risk must have been reviewed in time.",
    assurance=Assurance.HUMAN,
)
def look(_scene: Scene) -> Finding:
    """Read the register."""
    open_ = [one for one in risks.register() if one.closed_at is None]
    bad = [str(one.id) for one in risks.unaccepted()]
    if bad:
        return broken(
            f"Risks above the line without acceptance, or past their review: {shorten(bad)}.",
            ids=bad,
            population=len(open_),
        )
    if not open_:
        return unknown("The register of risks is empty.")
    return held(
        f"All {len(open_)} open risks are below the line or accepted by somebody else, and in date.",
        population=len(open_),
    )
