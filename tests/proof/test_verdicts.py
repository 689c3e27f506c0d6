"""The calculus: the worst wins, nothing proves nothing, and no exception turns green."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.proof.findings import Assurance, Environment, Outcome, broken, held, shorten, unknown
from headshotly.proof.verdicts import Excuse, Judgement, Seen, Verdict, combine, follow, judge_check, worst

NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
ORDER = ["FAIL", "ERROR", "STALE", "UNKNOWN", "EXCEPTED", "ATTESTED", "PASS"]


def seen(outcome=Outcome.HELD, **changes) -> Seen:
    fields = {
        "check": "c", "outcome": outcome, "sentence": "So it is.", "population": 3,
        "broken": ("a", "b") if outcome is Outcome.BROKEN else (), "assurance": Assurance.MEASURED,
        "environment": Environment.PRODUCTION, "observed_at": NOW,
    }  # fmt: skip
    return Seen(**{**fields, **changes})


def excuse(*ids, check="c", until=NOW + DAY, from_=NOW - DAY) -> Excuse:
    return Excuse(check=check, ids=frozenset(ids), reason="It is bearable.", from_=from_, until=until)


def judged(one, *excuses, moment=NOW, fresh_for=DAY, required=Environment.PRODUCTION) -> Judgement:
    return judge_check("c", one, excuses=excuses, moment=moment, fresh_for=fresh_for, required=required)


def test_the_order_is_the_one_of_the_design() -> None:
    assert [one.value for one in Verdict] == ORDER
    assert worst([]) is Verdict.UNKNOWN


@given(st.lists(st.sampled_from(Verdict), min_size=1))
def test_the_worst_wins(verdicts) -> None:
    found = combine([Judgement(verdict=one, reason=one.value) for one in verdicts])
    assert found.verdict is min(verdicts, key=lambda one: ORDER.index(one.value))
    assert found.reason == found.verdict.value


def test_of_nothing_nothing_is_known() -> None:
    assert combine([]).verdict is Verdict.UNKNOWN
    assert judged(None).verdict is Verdict.UNKNOWN
    assert judged(seen(population=0)).verdict is Verdict.UNKNOWN
    assert held("Nothing was there.", population=0).outcome is Outcome.UNKNOWN
    assert unknown("Why.").population == 0
    assert follow({}, what="clauses").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (Outcome.HELD, Verdict.PASS),
        (Outcome.BROKEN, Verdict.FAIL),
        (Outcome.ERROR, Verdict.ERROR),
        (Outcome.UNKNOWN, Verdict.UNKNOWN),
        (Outcome.ATTESTED, Verdict.ATTESTED),
    ],
)
def test_each_outcome_has_its_verdict(outcome, verdict) -> None:
    assert judged(seen(outcome)).verdict is verdict


def test_old_evidence_is_stale_and_an_old_failure_still_one() -> None:
    assert judged(seen(), moment=NOW + DAY).verdict is Verdict.PASS
    late = NOW + DAY + dt.timedelta(microseconds=1)
    assert judged(seen(), moment=late).verdict is Verdict.STALE
    assert judged(seen(Outcome.ATTESTED), moment=late).verdict is Verdict.STALE
    assert judged(seen(Outcome.BROKEN), moment=late + 900 * DAY).verdict is Verdict.FAIL


def test_what_vouches_runs_out_at_its_moment() -> None:
    attested = seen(Outcome.ATTESTED, expires_at=NOW + DAY)
    assert judged(attested, fresh_for=365 * DAY).verdict is Verdict.ATTESTED
    assert judged(attested, moment=NOW + DAY, fresh_for=365 * DAY).verdict is Verdict.STALE


def test_evidence_from_the_future_is_an_error() -> None:
    assert judged(seen(observed_at=NOW + dt.timedelta(hours=1))).verdict is Verdict.ERROR


def test_emulated_evidence_is_not_production_s() -> None:
    found = judged(seen(environment=Environment.EMULATED))
    assert found.verdict is Verdict.UNKNOWN
    assert "emulated" in found.reason
    assert judged(seen(environment=Environment.EMULATED), required=Environment.EMULATED).verdict is Verdict.PASS
    assert judged(seen(Outcome.BROKEN, environment=Environment.EMULATED)).verdict is Verdict.FAIL


def test_an_exception_covers_exact_ids_for_its_time_and_never_turns_green() -> None:
    one = seen(Outcome.BROKEN)
    assert judged(one, excuse("a", "b")).verdict is Verdict.EXCEPTED
    assert judged(one, excuse("a"), excuse("b")).verdict is Verdict.EXCEPTED
    assert judged(one, excuse("a")).verdict is Verdict.FAIL
    assert judged(one, excuse("a", "b", check="other")).verdict is Verdict.FAIL
    assert judged(one, excuse("a", "b", until=NOW)).verdict is Verdict.FAIL
    assert judged(one, excuse("a", "b", from_=NOW + DAY, until=NOW + 2 * DAY)).verdict is Verdict.FAIL
    assert judged(seen(Outcome.ERROR), excuse("a", "b")).verdict is Verdict.ERROR
    assert Verdict.EXCEPTED.rank < Verdict.PASS.rank


@given(
    st.sets(st.sampled_from("abcdef"), min_size=1),
    st.lists(st.sets(st.sampled_from("abcdef"), min_size=1), max_size=4),
)
def test_a_failure_is_excused_exactly_when_every_id_is_named(ids, named) -> None:
    found = judged(seen(Outcome.BROKEN, broken=tuple(ids)), *(excuse(*one) for one in named))
    covered = ids <= set().union(*named)
    assert (found.verdict is Verdict.EXCEPTED) is covered
    assert (found.verdict is Verdict.FAIL) is not covered


def test_a_clause_that_follows_others_names_those_that_decide() -> None:
    good, bad = Judgement(verdict=Verdict.PASS, reason="x"), Judgement(verdict=Verdict.FAIL, reason="y")
    assert follow({"1": good, "2": good}, what="clauses").verdict is Verdict.PASS
    found = follow({"1": good, "2": bad}, what="clauses")
    assert found.verdict is Verdict.FAIL
    assert found.reason == "1 of 2 clauses are FAIL: 2."


def test_a_failure_nobody_can_name_is_refused() -> None:
    with pytest.raises(ValueError, match="names what is broken"):
        broken("Something.", ids=[])
    assert shorten("gfedcba") == "a, b, c, d, e and 2 more"
