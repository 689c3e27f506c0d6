"""Processing activities, declared beside the feature that does them (GDPR Art. 30, clause 1.1.a).

A room's ``activities.py`` calls ``declare`` and ``keeps``. A personal field or object kind that no
declaration names fails the build (``personal.py``, ``tests/purposes/test_personal.py``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from headshotly.policy.enforcement import enforces


class LegalBasis(StrEnum):
    """GDPR Art. 6(1) and, for biometric data, Art. 9(2)(a)."""

    CONSENT = "consent (Art. 6(1)(a))"
    EXPLICIT_CONSENT = "explicit consent (Art. 9(2)(a))"
    CONTRACT = "contract (Art. 6(1)(b))"
    LEGAL_OBLIGATION = "legal obligation (Art. 6(1)(c))"
    LEGITIMATE_INTEREST = "legitimate interest (Art. 6(1)(f))"


class RiskCriterion(StrEnum):
    """The nine criteria of WP 248 rev.01; two or more make a DPIA necessary (GDPR Art. 35)."""

    SCORING = "evaluation or scoring"
    AUTOMATED_DECISION = "automated decision with legal effect"
    MONITORING = "systematic monitoring"
    SENSITIVE_DATA = "sensitive data"
    LARGE_SCALE = "large scale"
    MATCHING = "matching or combining datasets"
    VULNERABLE_PEOPLE = "vulnerable data subjects"
    NEW_TECHNOLOGY = "innovative use of technology"
    PREVENTS_RIGHT = "prevents use of a right or service"


DPIA_FROM = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimit:
    """How long one kind of data is kept; the sweeper in ``rights.retention`` reads it (GDPR Art. 5(1)(e)).

    Attributes:
        id: stable short name, such as ``photos``.
        title: what a person reads.
        days: how long by default; None means until the customer deletes it.
        choices: what the customer may choose instead, in days, None for “until I delete it”; empty means fixed.
    """

    id: str
    title: str
    days: int | None
    choices: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One processing activity, as the record of processing lists it (GDPR Art. 30(1)).

    Attributes:
        id: stable short name, such as ``headshot-generation``.
        title: what a person reads.
        purpose: why, in one sentence.
        people: categories of data subjects.
        data: categories of personal data.
        basis: legal basis.
        recipients: categories of recipients; empty when nobody outside receives it.
        retention: the envisaged time limit of erasure, in words.
        transfers: transfers to third countries; empty means none.
        measures: security measures, by clause id.
        risks: which high-risk criteria it meets.
        limits: time limits that the sweeper enforces by itself.
        source: where the data comes from (GDPR Art. 14(2)(f)).
    """

    id: str
    title: str
    purpose: str
    people: tuple[str, ...]
    data: tuple[str, ...]
    basis: LegalBasis
    retention: str
    recipients: tuple[str, ...] = ()
    transfers: tuple[str, ...] = ()
    measures: tuple[str, ...] = ("3.1.a", "3.2.a", "5.1.a", "5.3.a")
    risks: frozenset[RiskCriterion] = frozenset()
    limits: tuple[TimeLimit, ...] = ()
    source: str = "the person themselves"

    @property
    def needs_dpia(self) -> bool:
        """Say whether a data-protection impact assessment is necessary before it may run."""
        return len(self.risks) >= DPIA_FROM


_ACTIVITIES: dict[str, Activity] = {}
_KEPT: dict[str, str] = {}


@enforces("1.1.a")
def declare(activity: Activity) -> Activity:
    """Enter an activity in the record of processing.

    Raises:
        ValueError: another activity has this id, or a required part is empty.
    """
    known = _ACTIVITIES.setdefault(activity.id, activity)
    if known != activity:
        raise ValueError(f"two activities are called {activity.id}")
    if not (activity.title and activity.purpose and activity.people and activity.data and activity.retention):
        raise ValueError(f"the declaration of {activity.id} leaves a required part empty (GDPR Art. 30(1))")
    return activity


def keeps(place: str, *, activity: str) -> None:
    """Say which activity a store of personal data serves.

    Args:
        place: ``room.Model.field`` for a column, or ``object:kind`` for a sealed object kind.
        activity: id of a declared activity.

    Raises:
        ValueError: no such activity is declared, or the place already serves another.
    """
    if activity not in _ACTIVITIES:
        raise ValueError(f"{place} names the undeclared activity {activity}")
    if _KEPT.setdefault(place, activity) != activity:
        raise ValueError(f"{place} already serves the activity {_KEPT[place]}")


def activities() -> Iterator[Activity]:
    """Yield every declared activity, in order of id."""
    for activity_id in sorted(_ACTIVITIES):
        yield _ACTIVITIES[activity_id]


def activity(activity_id: str) -> Activity:
    """Return one activity.

    Raises:
        KeyError: it is not declared.
    """
    return _ACTIVITIES[activity_id]


def limits() -> dict[str, TimeLimit]:
    """Return every declared time limit by id.

    Raises:
        ValueError: two limits have one id.
    """
    found: dict[str, TimeLimit] = {}
    for one in activities():
        for limit in one.limits:
            if limit.id in found:
                raise ValueError(f"two time limits are called {limit.id}")
            found[limit.id] = limit
    return found


def kept_places() -> dict[str, str]:
    """Return every declared store of personal data with the activity it serves."""
    return dict(_KEPT)
