"""What the three checks of breach notices have in common: breaches, whom they are owed to, and the clocks."""

from headshotly.incidents import breach_selectors
from headshotly.incidents.obligations import Addressee, Standing
from headshotly.proof.findings import Finding, broken, held, shorten, unknown


def look_at_clocks(*addressees: Addressee, told: str) -> Finding:
    """Return whether anybody owed a notice was not told in time.

    Args:
        addressees: whose clocks.
        told: who they are, as the subject of a sentence, such as “the supervisory authority”.
    """
    late = [
        f"{breach.case.reference} ({one.addressee.value})"
        for addressee in addressees
        for breach, one in breach_selectors.late(addressee=addressee)
    ]
    lines = breach_selectors.lines()
    if late:
        return broken(
            f"Past its clock without a notice or an approved decision: {shorten(late)}.",
            ids=late,
            population=len(lines),
        )
    if not lines:
        return unknown("No breach of personal data has been recorded.")
    owed = [
        one
        for line in lines
        for one in line.obligations
        if one.addressee in addressees and one.standing is not Standing.NOT_OWED
    ]
    return held(
        f"Of {len(lines)} recorded breaches, {len(owed)} had to be told to {told}, and none is past its clock.",
        population=len(lines),
    )
