"""What verdicts and ways of knowing are called on the trust page."""

from dataclasses import dataclass

from django.utils.translation import gettext_noop as noop

from headshotly.proof.findings import Assurance, Environment
from headshotly.proof.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Said:
    """How a verdict is shown.

    Attributes:
        label: one or two words.
        meaning: a sentence for the legend.
        symbol: beside the label, so that nothing rests on colour alone.
        tone: class of the style sheet and key of the badge's colours.
    """

    label: str
    meaning: str
    symbol: str
    tone: str


VERDICTS: dict[Verdict, Said] = {
    Verdict.FAIL: Said(noop("Broken"), noop("A check saw that the promise is not kept."), "✕", "bad"),
    Verdict.ERROR: Said(noop("Check failed"), noop("The check itself broke, so nothing can be said."), "!", "bad"),
    Verdict.STALE: Said(noop("Out of date"), noop("It was last seen too long ago to count."), "◷", "warn"),
    Verdict.UNKNOWN: Said(
        noop("Not known"),
        noop("Nothing to look at yet, or no check exists yet. It is no proof of anything."),
        "?",
        "dim",
    ),
    Verdict.EXCEPTED: Said(
        noop("Exception"),
        noop("Broken, and accepted for a limited time by two people, for the reason given."),
        "~",
        "warn",
    ),
    Verdict.ATTESTED: Said(noop("Vouched for"), noop("A person or a report says so. It is not proof."), "✎", "soft"),
    Verdict.PASS: Said(noop("Holds"), noop("A check looked at the running system and saw it kept."), "✓", "good"),
}

ASSURANCES: dict[Assurance, tuple[str, str]] = {
    Assurance.ENFORCED: (noop("Enforced"), noop("We tried to break it and were refused.")),
    Assurance.MEASURED: (noop("Measured"), noop("We looked at the state of things.")),
    Assurance.VENDOR: (noop("Vendor"), noop("A vendor's audit report says so.")),
    Assurance.HUMAN: (noop("Human"), noop("A person recorded it.")),
}

PLACES: dict[Environment, str] = {
    Environment.PRODUCTION: noop("in production"),
    Environment.STAGING: noop("in staging"),
    Environment.EMULATED: noop("on a stand-in"),
}

KINDS: dict[str, str] = {
    "enforced": noop("enforced by code"),
    "process": noop("done by people, gated by code"),
    "inherited": noop("inherited from a vendor"),
}
# What the calculus says by itself; what a check found is quoted as it was recorded.
COMMON = (
    noop("Nobody has looked yet."),
    noop("It holds while every clause that code enforces holds, for every customer wherever they live."),
    noop("It holds while the three clauses about choosing vendors hold."),
)
