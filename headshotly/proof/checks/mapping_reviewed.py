"""Every sentence of the policy maps to controls, judged as it stands (clause 1.3.a)."""

from headshotly.policy import mapping
from headshotly.policy.clauses import clauses
from headshotly.proof.findings import Assurance, Finding, broken, held, shorten
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="mapping_reviewed",
    clauses=("1.3.a",),
    title="Every sentence maps to controls",
    words="We look whether each sentence of the policy is mapped to controls of ISO/IEC 27001 and OWASP ASVS, and "
    "whether somebody reviewed the mapping after the sentence was last changed.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Compare the hash of each sentence with the one that was reviewed."""
    left = mapping.unreviewed()
    if left:
        return broken(f"The mapping of {shorten(left)} was not reviewed as the sentence stands.", ids=left)
    return held(f"All {len(clauses())} sentences map to controls as reviewed.", population=len(clauses()))
