"""How a vendor stands at a moment: open, warned, degraded or closed, and why in one sentence (clauses 9.1, 9.2).

Pure: the register hands in what it knows. What is missing counts against the vendor, never for it.
"""

import datetime as dt
from dataclasses import dataclass
from enum import IntEnum

from headshotly.policy.enforcement import enforces
from headshotly.vendors.regions import in_union

WARNING = dt.timedelta(days=30)  # before something runs out
GRACE = dt.timedelta(days=30)  # after an assessment or report ran out, for what cannot wait
CADENCE = {"critical": dt.timedelta(days=365), "important": dt.timedelta(days=730), "ordinary": dt.timedelta(days=1095)}


class Standing(IntEnum):
    """How far the gate is open for a vendor; the larger, the less goes through."""

    OPEN = 0
    WARNED = 1
    DEGRADED = 2
    CLOSED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the register knows of one vendor.

    Attributes:
        name: as people know it.
        approved: somebody other than the proposer approved it, and it was not ended.
        tier: ``critical``, ``important`` or ``ordinary``.
        categories: the kinds of personal data it was agreed to receive; empty for none.
        regions: where it processes.
        agreement_until: last day of its data-processing agreement; None where there is none.
        evidence_until: last day of its newest audit report; None where there is none.
        assessed_on: day of the last approved assessment; None where there was none.
    """

    name: str
    approved: bool
    tier: str
    categories: tuple[str, ...]
    regions: tuple[str, ...]
    agreement_until: dt.date | None
    evidence_until: dt.date | None
    assessed_on: dt.date | None

    @property
    def next_assessment(self) -> dt.date | None:
        """Return the day the next assessment is due; None where there was no first."""
        return self.assessed_on + CADENCE[self.tier] if self.assessed_on else None


@enforces("9.1.b", "9.2", "2.2")
def judge(facts: Facts, *, today: dt.date) -> tuple[Standing, str]:
    """Return how a vendor stands and why; the worst of everything that can be said of it.

    Args:
        facts: what the register knows.
        today: in the operator's zone.
    """
    said = [
        *_of_approval(facts),
        *_of_agreement(facts, today),
        *_of_assessment(facts, today),
        *_of_report(facts, today),
    ]
    return max(said, key=lambda pair: pair[0], default=(Standing.OPEN, "Approved, agreed and assessed."))


def _of_approval(facts: Facts) -> list[tuple[Standing, str]]:
    if not facts.approved:
        return [(Standing.CLOSED, f"{facts.name} is not approved.")]
    outside = [place for place in facts.regions if not in_union(place)]
    if facts.categories and (outside or not facts.regions):
        where = ", ".join(outside) or "nowhere it names"
        return [(Standing.CLOSED, f"{facts.name} would process personal data outside the European Union ({where}).")]
    return []


def _of_agreement(facts: Facts, today: dt.date) -> list[tuple[Standing, str]]:
    """Judge the data-processing agreement (GDPR Art. 28(3)): without one in force nothing personal goes."""
    if not facts.categories:
        return []
    if facts.agreement_until is None or facts.agreement_until < today:
        return [(Standing.CLOSED, f"No data-processing agreement with {facts.name} is in force.")]
    if facts.agreement_until - today <= WARNING:
        return [(Standing.WARNED, f"The agreement with {facts.name} ends on {facts.agreement_until}.")]
    return []


def _of_assessment(facts: Facts, today: dt.date) -> list[tuple[Standing, str]]:
    due = facts.next_assessment
    if due is None:
        return [(Standing.CLOSED, f"{facts.name} was never assessed.")]
    return _running_out(due, today, f"The assessment of {facts.name} is due on {due}.")


def _of_report(facts: Facts, today: dt.date) -> list[tuple[Standing, str]]:
    """Judge the audit report: a vendor the service cannot do without must have a current one (clause 9.1.c)."""
    if facts.tier != "critical":
        return []
    if facts.evidence_until is None:
        return [(Standing.CLOSED, f"There is no audit report of {facts.name} on file.")]
    return _running_out(
        facts.evidence_until, today, f"The audit report of {facts.name} is good until {facts.evidence_until}."
    )


def _running_out(until: dt.date, today: dt.date, sentence: str) -> list[tuple[Standing, str]]:
    """Warn before, let only what cannot wait through for a while after, then close."""
    if today > until + GRACE:
        return [(Standing.CLOSED, sentence)]
    if today > until:
        return [(Standing.DEGRADED, sentence)]
    if until - today <= WARNING:
        return [(Standing.WARNED, sentence)]
    return []
