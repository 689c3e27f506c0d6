"""What a case goes through, what must be true before it may go on, and how long each part may take (clause 8.1).

The table is the whole of it: what it does not list is refused. Times are house limits; they can be read, and shown
beside the case, but not moved from inside one.
"""

import datetime as dt
from dataclasses import dataclass

from django.db.models import TextChoices

from headshotly.policy.enforcement import enforces

WORDS_MIN = 20  # characters: a phase is left with a sentence of what was done in it


class Severity(TextChoices):
    """How bad it is, or may become."""

    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"


class Phase(TextChoices):
    """Where a case stands; the first five are the sentence of clause 8.1."""

    DETECTION = "detection", "Detection"
    CONTAINMENT = "containment", "Containment"
    ERADICATION = "eradication", "Eradication"
    RECOVERY = "recovery", "Recovery"
    COMMUNICATION = "communication", "Communication"
    LESSONS = "lessons", "Lessons"
    CLOSED = "closed", "Closed"


class Origin(TextChoices):
    """Where a case came from."""

    ALERT = "alert", "Alert"
    GLASS = "glass", "Break-glass"
    REPORT = "report", "Report from outside"
    HAND = "hand", "A member of staff"
    EXERCISE = "exercise", "Exercise"


class Outcome(TextChoices):
    """How a case ended; the empty value is a case that has not."""

    INCIDENT = "incident", "Incident, dealt with"
    FALSE_ALARM = "false-alarm", "False alarm"
    DUPLICATE = "duplicate", "The same as another case"


ORDER: tuple[Phase, ...] = tuple(Phase)

# From where to where. Forwards one by one; back to containment whenever it flares up again; a closed case stays closed,
# and what turns up later is a case of its own that names it.
NEXT: dict[Phase, frozenset[Phase]] = {
    Phase.DETECTION: frozenset({Phase.CONTAINMENT}),
    Phase.CONTAINMENT: frozenset({Phase.ERADICATION}),
    Phase.ERADICATION: frozenset({Phase.RECOVERY, Phase.CONTAINMENT}),
    Phase.RECOVERY: frozenset({Phase.COMMUNICATION, Phase.CONTAINMENT}),
    Phase.COMMUNICATION: frozenset({Phase.LESSONS, Phase.CONTAINMENT}),
    Phase.LESSONS: frozenset({Phase.CLOSED, Phase.CONTAINMENT}),
    Phase.CLOSED: frozenset(),
}

# What a case's sentence must answer before a phase is left; the page asks it.
QUESTIONS: dict[Phase, str] = {
    Phase.DETECTION: "What happened, and how do we know?",
    Phase.CONTAINMENT: "What stops it from going on or spreading?",
    Phase.ERADICATION: "What was the cause, and how was it removed?",
    Phase.RECOVERY: "How do we know that everything works again, and safely?",
    Phase.COMMUNICATION: "Who was told, and who need not be?",
    Phase.LESSONS: "What do we change so that it does not happen again?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a case when somebody wants to move it.

    Attributes:
        phase: where it stands.
        owned: somebody answers for it.
        personal_data: whether it touched personal data; None while nobody has judged.
        untold: duties to tell somebody that are neither done nor decided against.
        in_force: containment still in force, such as a suspended account.
        kept_in_force: why some of it stays; empty where nobody said.
    """

    phase: Phase
    owned: bool
    personal_data: bool | None
    untold: tuple[str, ...] = ()
    in_force: int = 0
    kept_in_force: str = ""


@enforces("8.1.a-b")
def missing(facts: Facts, to: Phase, *, words: str) -> list[str]:
    """Return, in plain sentences, what keeps a case from moving; nothing where it may.

    Args:
        facts: the case as it stands.
        to: where somebody wants to move it.
        words: the sentence that answers the phase's question.
    """
    if to not in NEXT[facts.phase]:
        return [f"From {facts.phase.label.lower()} a case does not go to {to.label.lower()}."]
    found = []
    if not facts.owned:
        found.append("Somebody must own the case first.")
    if len(words.strip()) < WORDS_MIN:
        found.append(f"Please answer in a sentence: {QUESTIONS[facts.phase]}")
    if to is Phase.CONTAINMENT and facts.phase is not Phase.DETECTION:
        return found
    if facts.phase is Phase.COMMUNICATION:
        if facts.personal_data is None:
            found.append("Nobody has judged yet whether personal data was touched.")
        found += [f"Still to tell, or to decide against: {one}." for one in facts.untold]
    if facts.phase is Phase.LESSONS and facts.in_force and len(facts.kept_in_force.strip()) < WORDS_MIN:
        found.append(f"{facts.in_force} containment still in force: undo it, or say why it stays.")
    return found


@dataclass(frozen=True, slots=True)
class Limits:
    """House limits, each from the moment a case was opened."""

    acknowledge: dt.timedelta
    contain: dt.timedelta
    close: dt.timedelta


_MINUTE, _HOUR, _DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
LIMITS: dict[Severity, Limits] = {
    Severity.CRITICAL: Limits(15 * _MINUTE, 4 * _HOUR, 30 * _DAY),
    Severity.HIGH: Limits(_HOUR, _DAY, 30 * _DAY),
    Severity.MEDIUM: Limits(8 * _HOUR, 3 * _DAY, 60 * _DAY),
    Severity.LOW: Limits(3 * _DAY, 14 * _DAY, 90 * _DAY),
}
_BEFORE_CONTAINED = frozenset({Phase.DETECTION, Phase.CONTAINMENT})


@dataclass(frozen=True, slots=True)
class Due:
    """The next thing a case must reach.

    Attributes:
        what: ``acknowledge``, ``contain`` or ``close``.
        at: until when, aware UTC.
    """

    what: str
    at: dt.datetime


@enforces("5.3.b", "8.1.a-b")
def due(*, severity: Severity, phase: Phase, opened_at: dt.datetime, acknowledged_at: dt.datetime | None) -> Due | None:
    """Return what a case must reach next and until when, or None where it is closed.

    Args:
        severity: as judged now; a worse one shortens every clock from the opening on.
        phase: where it stands.
        opened_at: aware UTC.
        acknowledged_at: when somebody took it.
    """
    if phase is Phase.CLOSED:
        return None
    limits = LIMITS[severity]
    if acknowledged_at is None:
        return Due("acknowledge", opened_at + limits.acknowledge)
    if phase in _BEFORE_CONTAINED:
        return Due("contain", opened_at + limits.contain)
    return Due("close", opened_at + limits.close)
