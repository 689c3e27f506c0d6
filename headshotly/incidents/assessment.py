"""How grave a breach is for the people in it: ENISA's severity, and what follows from it (GDPR Art. 33(1), 34(1)).

Severity = processing context times ease of identification + circumstances. Below 2 the breach is unlikely to result in
a risk; from 2 it goes to the authority; from 3 the people are told too. The number proposes, people decide.
Source: ENISA, *Recommendations for a methodology of the assessment of severity of personal data breaches*, 2013.
"""

from dataclasses import dataclass

from django.db.models import TextChoices

from headshotly.incidents.data_kinds import KINDS
from headshotly.policy.enforcement import enforces

MEDIUM_FROM, HIGH_FROM, VERY_HIGH_FROM = 2.0, 3.0, 4.0
MANY = 100  # people; ENISA flags more than a hundred
HIGHEST_CONTEXT = 4
_TOGETHER_FROM = 3  # kinds about one person that together make a profile


class Risk(TextChoices):
    """What a breach means for the rights and freedoms of the people in it."""

    UNLIKELY = "unlikely", "Unlikely to result in a risk"
    RISK = "risk", "A risk"
    HIGH = "high", "A high risk"


class Spread(TextChoices):
    """How far confidential data got (ENISA, circumstances of breach)."""

    NONE = "none", "Nobody unauthorised saw it"
    KNOWN = "known", "Known recipients"
    UNKNOWN = "unknown", "An unknown number of recipients"


class Harm(TextChoices):
    """What happened to integrity or availability (ENISA, circumstances of breach)."""

    NONE = "none", "Untouched"
    RECOVERABLE = "recoverable", "Touched, and restored"
    LASTING = "lasting", "Touched, and not to be restored"


_SPREAD = {Spread.NONE: 0.0, Spread.KNOWN: 0.25, Spread.UNKNOWN: 0.5}
_HARM = {Harm.NONE: 0.0, Harm.RECOVERABLE: 0.25, Harm.LASTING: 0.5}
_MALICE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known of a breach when it is judged.

    Attributes:
        kinds: kinds of data about one person that were touched, ids of ``data_kinds.KINDS``.
        people: how many people.
        spread: of confidential data.
        integrity: changed without permission.
        availability: lost.
        malicious: somebody meant it.
        vulnerable: children or other people in need of protection are among them.
        intelligible: the data could be read: it was opened, or its keys were or may have been touched too.
    """

    kinds: frozenset[str]
    people: int
    spread: Spread
    integrity: Harm = Harm.NONE
    availability: Harm = Harm.NONE
    malicious: bool = False
    vulnerable: bool = False
    intelligible: bool = True


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the method proposes, and each of its reasons.

    Attributes:
        score: severity, rounded to hundredths.
        risk: what it means.
        reasons: how it came about, one sentence each.
    """

    score: float
    risk: Risk
    reasons: tuple[str, ...]


def _context(seen: Circumstances) -> tuple[int, list[str]]:
    worst = max((KINDS[kind] for kind in seen.kinds), key=lambda kind: kind.context)
    context, reasons = worst.context, [f"Context {worst.context} for {worst.en}: {worst.because}."]
    if len(seen.kinds) >= _TOGETHER_FROM and context < HIGHEST_CONTEXT:
        context += 1
        reasons.append(f"Plus 1: {len(seen.kinds)} kinds about one person make a profile.")
    if seen.vulnerable and context < HIGHEST_CONTEXT:
        context += 1
        reasons.append("Plus 1: people in need of protection are among them.")
    return context, reasons


def _circumstances(seen: Circumstances) -> tuple[float, list[str]]:
    parts = [
        (_SPREAD[seen.spread], f"confidentiality: {seen.spread.label.lower()}"),
        (_HARM[seen.integrity], f"integrity: {seen.integrity.label.lower()}"),
        (_HARM[seen.availability], f"availability: {seen.availability.label.lower()}"),
        (_MALICE if seen.malicious else 0.0, "somebody meant it"),
    ]
    return sum(value for value, _ in parts), [f"Plus {value:g}, {words}." for value, words in parts if value]


@enforces("8.3.a", "8.3.b")
def assess(seen: Circumstances) -> Assessment:
    """Return the risk that ENISA's method finds, with its reasons.

    Data that nobody can read while every key is safe is unlikely to result in a risk (Guidelines 9/2022, para. 80),
    unless it is lost for its owners too.

    Raises:
        ValueError: there is no kind of data, a kind is none of ours, or the number of people is negative.
    """
    if not seen.kinds or seen.people < 0:
        raise ValueError("a breach is judged by the kinds of data and the number of people in it")
    unknown = seen.kinds - set(KINDS)
    if unknown:
        raise ValueError(f"there is no kind of data “{min(unknown)}”")
    context, reasons = _context(seen)
    identifies = max(KINDS[kind].identifies for kind in seen.kinds)
    reasons.append(f"Identification {identifies:g}: how easily the data leads to a person.")
    around, more = _circumstances(seen)
    score = round(context * identifies + around, 2)
    reasons += more
    if seen.people > MANY:
        reasons.append(f"More than {MANY} people are concerned; weigh it.")
    if not seen.intelligible and seen.integrity is Harm.NONE and seen.availability is not Harm.LASTING:
        reasons.append("Nobody can read it: it is encrypted, and every key is safe.")
        return Assessment(score, Risk.UNLIKELY, tuple(reasons))
    return Assessment(score, _risk_of(score), tuple(reasons))


def _risk_of(score: float) -> Risk:
    if score < MEDIUM_FROM:
        return Risk.UNLIKELY
    return Risk.RISK if score < HIGH_FROM else Risk.HIGH


_RANK = {Risk.UNLIKELY: 0, Risk.RISK: 1, Risk.HIGH: 2}


def is_lower(chosen: Risk, proposed: Risk) -> bool:
    """Say whether a judgement is milder than what the method proposes; then somebody else must agree."""
    return _RANK[chosen] < _RANK[proposed]
