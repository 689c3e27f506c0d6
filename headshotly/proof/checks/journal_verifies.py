"""The journal is whole: every entry recomputed and held against every signed head, here and at the witness (5.3.a)."""

from headshotly.audit import selectors, verification
from headshotly.audit.errors import JournalDamaged
from headshotly.proof.findings import Assurance, Finding, broken, held, unknown
from headshotly.proof.registry import check
from headshotly.proof.scene import Scene


@check(
    id="journal_verifies",
    clauses=("5.3.a",),
    title="The journal is whole",
    words="We recompute the journal from its first entry to its last and hold it against every signed head, those kept "
    "by the witness outside included. A changed, missing, added or moved entry would show.",
    assurance=Assurance.MEASURED,
)
def look(_scene: Scene) -> Finding:
    """Recompute the journal."""
    try:
        found = verification.verify()
    except JournalDamaged as damage:
        return broken(damage.sentence, ids=["journal"])
    if found.damaged:
        return broken(
            f"{found.damaged} entries had been changed before they were sequenced.",
            ids=[f"damaged:{found.damaged}"],
            population=found.entries,
        )
    if not found.entries:
        return unknown(f"Nothing is sequenced yet; {selectors.waiting()} entries wait.")
    return held(
        f"All {found.entries} entries match {found.heads} signed heads, {found.witnessed} of them at the witness.",
        population=found.entries,
    )
