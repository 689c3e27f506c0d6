"""From evidence to verdicts: computed, never stored (architecture.md, “Verdicts”). Knows no database.

The worst wins: FAIL > ERROR > STALE > UNKNOWN > EXCEPTED > ATTESTED > PASS. An empty population is UNKNOWN. An
attestation is never proof. An exception covers exact ids until it expires, and never turns green.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from headshotly.proof.findings import Assurance, Environment, Outcome, shorten

_AHEAD = dt.timedelta(minutes=5)  # clocks of two machines may differ so much


class Verdict(StrEnum):
    """What is known of a promise, the worst first."""

    FAIL = "FAIL"
    ERROR = "ERROR"
    STALE = "STALE"
    UNKNOWN = "UNKNOWN"
    EXCEPTED = "EXCEPTED"
    ATTESTED = "ATTESTED"
    PASS = "PASS"  # noqa: S105 - a verdict  # nosec B105

    @property
    def rank(self) -> int:
        """Return its place, the worst being 0."""
        return list(Verdict).index(self)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst; of nothing nothing is known."""
    return min(verdicts, key=lambda one: one.rank, default=Verdict.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One piece of evidence, as the calculus reads it.

    Attributes:
        check: id of the check that looked.
        outcome: how its look ended.
        sentence: what it said.
        population: how many things it looked at.
        broken: exact ids of what is broken.
        assurance: how it is known.
        environment: where it was seen.
        observed_at: when.
        expires_at: when it stops counting, if it says so itself.
    """

    check: str
    outcome: Outcome
    sentence: str
    population: int
    broken: tuple[str, ...] = field(default=())
    assurance: Assurance
    environment: Environment
    observed_at: dt.datetime
    expires_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuse:
    """An exception, as the calculus reads it.

    Attributes:
        check: which check's finding it excuses.
        ids: exactly which broken things.
        reason: why, in a sentence.
        from_: since when somebody else approved it.
        until: when it ends.
    """

    check: str
    ids: frozenset[str]
    reason: str
    from_: dt.datetime
    until: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is known, why, and from when and where.

    Attributes:
        verdict: the worst of everything it rests on.
        reason: one plain sentence.
        observed_at: when it was last seen; None where it never was.
        environment: where; None where it never was.
        check: id of the check judged; empty for a clause.
    """

    verdict: Verdict
    reason: str
    observed_at: dt.datetime | None = None
    environment: Environment | None = None
    check: str = ""


def judge_check(
    check: str,
    seen: Seen | None,
    *,
    excuses: Iterable[Excuse] = (),
    moment: dt.datetime,
    fresh_for: dt.timedelta,
    required: Environment,
) -> Judgement:
    """Return what one check's newest evidence says at a moment.

    Args:
        check: id of the check.
        seen: its newest evidence, None where it never looked.
        excuses: every exception on record.
        moment: at which it is judged; aware UTC.
        fresh_for: how old evidence may be.
        required: where it must have been seen to count.
    """
    if seen is None:
        return Judgement(verdict=Verdict.UNKNOWN, reason="Nobody has looked yet.", check=check)
    verdict, reason = _judge(seen, tuple(excuses), moment, fresh_for, required)
    return Judgement(
        verdict=verdict, reason=reason, observed_at=seen.observed_at, environment=seen.environment, check=check
    )


def _judge(
    seen: Seen, excuses: tuple[Excuse, ...], moment: dt.datetime, fresh_for: dt.timedelta, required: Environment
) -> tuple[Verdict, str]:
    # A failure is one wherever and however long ago it was seen, until something newer says otherwise.
    if seen.outcome is Outcome.BROKEN:
        excuse = _covering(seen, excuses, moment)
        if excuse is None:
            return Verdict.FAIL, seen.sentence
        return Verdict.EXCEPTED, f"{seen.sentence} Accepted until {excuse.until:%Y-%m-%d}: {excuse.reason}"
    if seen.outcome is Outcome.ERROR:
        return Verdict.ERROR, seen.sentence
    if seen.outcome is Outcome.UNKNOWN or seen.population == 0:
        return Verdict.UNKNOWN, seen.sentence
    if required is not Environment.EMULATED and seen.environment is not required:
        return Verdict.UNKNOWN, f"This was seen in {seen.environment} only, not in {required}."
    return _in_time(seen, moment, fresh_for)


def _in_time(seen: Seen, moment: dt.datetime, fresh_for: dt.timedelta) -> tuple[Verdict, str]:
    if seen.observed_at > moment + _AHEAD:
        return Verdict.ERROR, "The evidence is dated in the future; a clock is wrong."
    if seen.expires_at is not None and seen.expires_at <= moment:
        return Verdict.STALE, f"What vouched for this ran out on {seen.expires_at:%Y-%m-%d}."
    if seen.observed_at + fresh_for < moment:
        return Verdict.STALE, f"This was last seen on {seen.observed_at:%Y-%m-%d %H:%M} UTC, too long ago to count."
    return (Verdict.ATTESTED if seen.outcome is Outcome.ATTESTED else Verdict.PASS), seen.sentence


def _covering(seen: Seen, excuses: tuple[Excuse, ...], moment: dt.datetime) -> Excuse | None:
    """Return the exception that ends first of those that together name every broken thing, or None."""
    valid = [one for one in excuses if one.check == seen.check and one.from_ <= moment < one.until]
    named = frozenset[str]().union(*(one.ids for one in valid))
    if not seen.broken or not named.issuperset(seen.broken):
        return None
    return min(valid, key=lambda one: one.until)


def combine(judgements: Sequence[Judgement]) -> Judgement:
    """Return the judgement of a clause from those of its checks: the worst wins and says why."""
    verdict = worst(one.verdict for one in judgements)
    deciding = [one for one in judgements if one.verdict is verdict]
    if not deciding:
        return Judgement(verdict=Verdict.UNKNOWN, reason="No check looks at this yet.")
    times = [one.observed_at for one in deciding if one.observed_at is not None]
    places = [one.environment for one in deciding if one.environment is not None]
    return Judgement(
        verdict=verdict,
        reason=_joined([one.reason for one in deciding]),
        observed_at=min(times, default=None),
        environment=Environment.EMULATED if Environment.EMULATED in places else next(iter(places), None),
    )


def _joined(reasons: list[str]) -> str:
    """Return several sentences as one, each said once."""
    *first, last = dict.fromkeys(reasons)
    return "; ".join([*(one.rstrip(".") for one in first), last])


def follow(judgements: dict[str, Judgement], *, what: str) -> Judgement:
    """Return the judgement of a clause that holds exactly while others do.

    Args:
        judgements: of the clauses it follows, by id.
        what: how to call them in the plural, such as ``enforced clauses``.
    """
    verdict = worst(one.verdict for one in judgements.values())
    deciding = [clause_id for clause_id, one in judgements.items() if one.verdict is verdict]
    times = [one.observed_at for one in judgements.values() if one.observed_at is not None]
    places = [one.environment for one in judgements.values() if one.environment is not None]
    if verdict is Verdict.PASS:
        reason = f"All {len(judgements)} {what} hold."
    else:
        reason = f"{len(deciding)} of {len(judgements)} {what} are {verdict}: {shorten(deciding, most=6)}."
    return Judgement(
        verdict=verdict,
        reason=reason,
        observed_at=min(times, default=None),
        environment=Environment.EMULATED if Environment.EMULATED in places else next(iter(places), None),
    )
