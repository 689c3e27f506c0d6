"""What changed when: verdicts are computed at every moment that could change one, and told apart. Pure but for reading.

Moments that can change a verdict: a run ended, evidence grew too old or ran out, an exception began or ended.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headshotly.policy import clock, configuration
from headshotly.policy.clauses import Clause, clauses
from headshotly.proof import registry, selectors
from headshotly.proof.models import Evidence
from headshotly.proof.rules import CALLED, FOLLOWS, why_unchecked
from headshotly.proof.scene import environment_of
from headshotly.proof.verdicts import Excuse, Judgement, Seen, Verdict, combine, follow, judge_check

WINDOW = dt.timedelta(days=30)
MOST = 100
_INSTANT = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Change:
    """One clause's verdict became another.

    Attributes:
        at: when.
        clause: which promise.
        before: what it was.
        after: what it is from then on.
        reason: of the new verdict.
    """

    at: dt.datetime
    clause: Clause
    before: Verdict
    after: Verdict
    reason: str


def judge_all(newest: dict[str, Seen], excuses: Iterable[Excuse], *, moment: dt.datetime) -> dict[str, Judgement]:
    """Return the judgement of every clause from the newest evidence of every check."""
    required, known, found = environment_of(configuration.current()), tuple(excuses), {}
    for one in clauses().values():
        if one.id in FOLLOWS:
            continue
        fresh_for = dt.timedelta(days=one.cadence_days)
        looking = registry.of_clause(one.id)
        if not looking:
            found[one.id] = Judgement(verdict=Verdict.UNKNOWN, reason=why_unchecked(one.id))
            continue
        found[one.id] = combine(
            [
                judge_check(
                    check.id, newest.get(check.id), excuses=known, moment=moment, fresh_for=fresh_for, required=required
                )
                for check in looking
            ]
        )
    for clause_id in sorted(FOLLOWS, key=lambda one: len(set(FOLLOWS[one]) & set(FOLLOWS))):
        found[clause_id] = follow({other: found[other] for other in FOLLOWS[clause_id]}, what=CALLED[clause_id])
    return found


def _endings(seen: Seen, until: dt.datetime) -> Iterator[dt.datetime]:
    """Yield when a piece of evidence stops counting for one of its clauses, before something newer replaces it."""
    if seen.expires_at is not None and seen.observed_at < seen.expires_at < until:
        yield seen.expires_at
    check = registry.load().get(seen.check)
    for clause_id in check.clauses if check else ():
        old = seen.observed_at + dt.timedelta(days=clauses()[clause_id].cadence_days) + _INSTANT
        if old < until:
            yield old


def _moments(
    rows: list[Seen], begun: dict[str, Seen], excuses: tuple[Excuse, ...], since: dt.datetime, now: dt.datetime
) -> list[dt.datetime]:
    """Return every moment after ``since`` at which a verdict may have changed."""
    found = {one.observed_at for one in rows}
    last: dict[str, Seen] = dict(begun)
    for one in rows:
        if one.check in last:
            found.update(_endings(last[one.check], one.observed_at))
        last[one.check] = one
    for one in last.values():
        found.update(_endings(one, now))
    found.update(moment for one in excuses for moment in (one.from_, one.until))
    return sorted(moment for moment in found if since < moment <= now)


def between(rows: list[Seen], begun: dict[str, Seen], excuses: tuple[Excuse, ...], *, since: dt.datetime,
            now: dt.datetime) -> list[Change]:  # fmt: skip
    """Return the changes of verdict after a moment, oldest first.

    Args:
        rows: evidence seen after ``since``, oldest first.
        begun: the newest evidence of each check at ``since``.
        excuses: every exception.
        since: where to begin.
        now: where to end.
    """
    newest, before = dict(begun), judge_all(begun, excuses, moment=since)
    found, position = [], 0
    for moment in _moments(rows, begun, excuses, since, now):
        while position < len(rows) and rows[position].observed_at <= moment:
            newest[rows[position].check] = rows[position]
            position += 1
        after = judge_all(newest, excuses, moment=moment)
        found += [
            Change(moment, clauses()[clause_id], before[clause_id].verdict, judged.verdict, judged.reason)
            for clause_id, judged in after.items()
            if judged.verdict is not before[clause_id].verdict
        ]
        before = after
    return found


def latest() -> list[Change]:
    """Return the newest changes of the last month, newest first."""
    now = clock.now()
    since = now - WINDOW
    rows = Evidence.objects.filter(observed_to__gt=since, observed_to__lte=now).order_by("observed_to")
    begun = {name: selectors.seen_of(row) for name, row in selectors.newest_evidence(at=since).items()}
    found = between(
        [selectors.seen_of(row) for row in rows.iterator()], begun, selectors.excuses(at=now), since=since, now=now
    )
    return found[::-1][:MOST]
