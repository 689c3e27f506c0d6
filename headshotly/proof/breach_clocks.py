"""Whether breaches were told in time: what three checks share, one for each of whom they must be told to."""

from headshotly.incidents import breach_selectors
from headshotly.incidents.obligations import Addressee, Standing
from headshotly.proof.findings import Finding, broken, held, shorten, unknown


def look_at(*addressees: Addressee) -> Finding:
    """Hold every breach of the register against its clocks.

    A breach nobody must be told of counts as one looked at: that nothing is owed was computed from its facts. Deciding
    not to tell counts only with somebody else's approval, which the database itself demands.

    Args:
        addressees: whom to look at.
    """
    lines = breach_selectors.lines()
    if not lines:
        return unknown("No breach of personal data has been recorded yet.")
    late = [breach.case.reference for whom in addressees for breach, _ in breach_selectors.late(addressee=whom)]
    names = " and ".join(whom.label.lower() for whom in addressees)
    if late:
        sentence = f"Past the clock, without a notice or an approved decision ({names}): {shorten(late)}."
        return broken(sentence, ids=late, population=len(lines))
    owed = [one for line in lines for one in line.obligations if one.addressee in addressees]
    done = sum(one.standing in {Standing.DONE, Standing.DECIDED, Standing.PARTLY} for one in owed)
    return held(
        f"{len(lines)} breaches in the register: told or decided for {done}, none past its clock ({names}).",
        population=len(lines),
    )
