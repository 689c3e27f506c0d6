"""The due-diligence questionnaire and how its answers are scored (clause 9.1.a)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from headshotly.policy.enforcement import enforces
from headshotly.vendors.errors import RegisterRefused

ANSWERS = {"yes": 1.0, "partly": 0.5, "no": 0.0}
ENOUGH = {"critical": 80, "important": 70, "ordinary": 60}  # percent, by tier


@dataclass(frozen=True, slots=True)
class Question:
    """One question; a ``must`` that is not answered “yes” refuses the vendor."""

    id: str
    ask: str
    weight: int
    must: bool


@cache
def questions() -> tuple[Question, ...]:
    """Return every question, in the order they are asked."""
    raw = tomllib.loads((Path(__file__).parent / "questionnaire.toml").read_text(encoding="utf-8"))
    return tuple(Question(name, one["ask"], one["weight"], one.get("must", False)) for name, one in raw.items())


@enforces("9.1.a")
def score(answers: Mapping[str, str], *, tier: str) -> int:
    """Return the score of a set of answers in percent.

    Args:
        answers: question id → ``yes``, ``partly`` or ``no``, for every question.
        tier: how much depends on the vendor.

    Raises:
        RegisterRefused: a question is unanswered, a condition is not met, or the score is too low for the tier.
    """
    if tier not in ENOUGH:
        raise RegisterRefused("Please say how much depends on the vendor: critical, important or ordinary.")
    got = total = 0.0
    for question in questions():
        answer = answers.get(question.id, "")
        if answer not in ANSWERS:
            raise RegisterRefused(f"Please answer: {question.ask}")
        if question.must and answer != "yes":
            raise RegisterRefused(f"A vendor must be able to say yes to this: {question.ask}")
        got += ANSWERS[answer] * question.weight
        total += question.weight
    percent = round(100 * got / total)
    if percent < ENOUGH[tier]:
        raise RegisterRefused(f"The answers come to {percent} %; a vendor of this kind needs {ENOUGH[tier]} %.")
    return percent
