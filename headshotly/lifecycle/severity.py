"""How bad a finding is: CVSS 3.1 and 4.0 by FIRST's qualitative scale, levels by a fixed table; pure.

Scores come from vectors through the ``cvss`` library. Where a tool gives words only, ``LEVELS`` says what they mean.
"""

import math
from dataclasses import dataclass

from cvss import CVSS3, CVSS4
from cvss.exceptions import CVSSError
from django.db.models import TextChoices

from headshotly.lifecycle.errors import VectorRefused
from headshotly.lifecycle.states import Grading

LONGEST_VECTOR = 400


class Severity(TextChoices):
    """How bad it is; sets the limit for fixing. Values go from the worst to the mildest."""

    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"
    NONE = "none", "For information"

    @property
    def rank(self) -> int:
        """Return 0 for the worst, more for milder ones."""
        return list(Severity).index(self)


# SARIF 2.1.0 levels, and the words of CycloneDX 1.x. What is left unsaid counts as high until somebody rates it.
LEVELS = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "note": Severity.LOW,
    "none": Severity.NONE,
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "info": Severity.NONE,
}
UNSAID = Severity.HIGH


@dataclass(frozen=True, slots=True)
class Grade:
    """A severity and where it comes from.

    Attributes:
        severity: what it comes to.
        grading: how it is known.
        score: of CVSS, 0.0 to 10.0; None where only a word was given.
        vector: of CVSS, in its canonical order; empty where there is none.
    """

    severity: Severity
    grading: Grading
    score: float | None = None
    vector: str = ""


def of_score(score: float) -> Severity:
    """Return the severity of a score by the qualitative scale of CVSS 3.1 (section 5) and 4.0 (section 6).

    Args:
        score: 0.0 to 10.0.

    Raises:
        VectorRefused: it lies outside.
    """
    if not (math.isfinite(score) and 0 <= score <= 10):  # noqa: PLR2004 - the scale's ends
        raise VectorRefused("A CVSS score lies between 0.0 and 10.0.")
    for least, severity in (
        (9.0, Severity.CRITICAL),
        (7.0, Severity.HIGH),
        (4.0, Severity.MEDIUM),
        (0.1, Severity.LOW),
    ):
        if score >= least:
            return severity
    return Severity.NONE


def of_vector(vector: str) -> Grade:
    """Return what a vector comes to: its base score, or with the threat and environment it names.

    Args:
        vector: such as ``CVSS:3.1/AV:N/…`` or ``CVSS:4.0/AV:N/…``.

    Raises:
        VectorRefused: it is none, or of another version.
    """
    words = vector.strip()
    if len(words) > LONGEST_VECTOR:
        raise VectorRefused("That is no CVSS vector: it is too long.")
    try:
        if words.startswith("CVSS:4.0/"):
            four = CVSS4(words)
            score, clean = float(four.base_score), four.clean_vector()
        elif words.startswith(("CVSS:3.1/", "CVSS:3.0/")):
            three = CVSS3(words)
            score, clean = float(three.scores()[-1]), three.clean_vector()
        else:
            raise VectorRefused("A CVSS vector begins with CVSS:3.1/ or CVSS:4.0/.")
    except (CVSSError, ValueError, KeyError, IndexError) as error:
        raise VectorRefused("That is no CVSS vector: a metric is missing, unknown or repeated.") from error
    return Grade(of_score(score), Grading.VECTOR, score, clean)


def of_level(level: str) -> Grade:
    """Return what a tool's own word comes to."""
    known = LEVELS.get(level.strip().casefold())
    return Grade(UNSAID, Grading.DEFAULT) if known is None else Grade(known, Grading.LEVEL)


def of_given_score(score: float) -> Grade:
    """Return what a bare score comes to.

    Raises:
        VectorRefused: it lies outside 0.0 to 10.0.
    """
    return Grade(of_score(score), Grading.SCORE, score)


def worst(grades: list[Grade]) -> Grade:
    """Return the worst of several, preferring the better-founded where two are equal; UNSAID of none."""
    order = list(Grading)
    if not grades:
        return Grade(UNSAID, Grading.DEFAULT)
    return min(grades, key=lambda one: (one.severity.rank, order.index(one.grading)))
