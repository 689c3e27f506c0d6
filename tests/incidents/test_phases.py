"""The table of phases, the clocks of a case, and the ladder of calls."""

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.incidents import escalation, phases
from headshotly.incidents.escalation import Channel, Duty
from headshotly.incidents.phases import Facts, Phase, Severity, due, missing

NOON = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
SENTENCE = "A sentence that says what was done."
PHASES = st.sampled_from(list(Phase))


def facts(**changes) -> Facts:
    return Facts(**({"phase": Phase.DETECTION, "owned": True, "personal_data": False} | changes))


@pytest.mark.clause("8.1.a-b")
def test_the_whole_way_is_the_sentence_of_the_policy() -> None:
    way = [
        Phase.DETECTION,
        Phase.CONTAINMENT,
        Phase.ERADICATION,
        Phase.RECOVERY,
        Phase.COMMUNICATION,
        Phase.LESSONS,
        Phase.CLOSED,
    ]
    for here, there in itertools.pairwise(way):
        assert missing(facts(phase=here), there, words=SENTENCE) == []


@given(PHASES, PHASES)
def test_what_the_table_does_not_list_is_refused(here: Phase, there: Phase) -> None:
    found = missing(facts(phase=here), there, words=SENTENCE)
    assert (found == []) == (there in phases.NEXT[here])


@given(PHASES, PHASES, st.text(max_size=phases.WORDS_MIN - 1))
def test_no_phase_is_left_without_a_sentence_or_an_owner(here: Phase, there: Phase, words: str) -> None:
    assert missing(facts(phase=here), there, words=words)
    assert missing(facts(phase=here, owned=False), there, words=SENTENCE)


def test_nothing_leaves_a_closed_case_and_everything_leads_to_one() -> None:
    assert phases.NEXT[Phase.CLOSED] == frozenset()
    for here in Phase:
        seen, edge = set(), {here}
        while edge:
            seen |= edge
            edge = {after for one in edge for after in phases.NEXT[one]} - seen
        assert Phase.CLOSED in seen


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"personal_data": None}, "Nobody has judged"),
        ({"untold": ("supervisory authority",)}, "supervisory authority"),
    ],
)
def test_communication_ends_only_when_everybody_was_told_or_decided_against(changes, said) -> None:
    found = missing(facts(phase=Phase.COMMUNICATION, **changes), Phase.LESSONS, words=SENTENCE)
    assert any(said in one for one in found)
    assert missing(facts(phase=Phase.COMMUNICATION, **changes), Phase.CONTAINMENT, words=SENTENCE) == []


def test_a_case_does_not_close_over_containment_nobody_explained() -> None:
    found = facts(phase=Phase.LESSONS, in_force=1)
    assert missing(found, Phase.CLOSED, words=SENTENCE)
    explained = facts(phase=Phase.LESSONS, in_force=1, kept_in_force="The account stays shut at its owner's wish.")
    assert missing(explained, Phase.CLOSED, words=SENTENCE) == []


@pytest.mark.clause("5.3.b")
@given(st.sampled_from(list(Severity)), PHASES, st.booleans())
def test_every_open_case_has_a_clock(severity: Severity, phase: Phase, taken: bool) -> None:
    found = due(severity=severity, phase=phase, opened_at=NOON, acknowledged_at=NOON if taken else None)
    assert (found is None) == (phase is Phase.CLOSED)
    if found is not None:
        assert found.at > NOON
        assert taken or found.what == "acknowledge"


def test_graver_is_never_slower() -> None:
    order = [Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW]
    for worse, milder in itertools.pairwise(order):
        for name in ("acknowledge", "contain", "close"):
            assert getattr(phases.LIMITS[worse], name) <= getattr(phases.LIMITS[milder], name)


@pytest.mark.clause("8.1.a-b")
def test_a_critical_case_wakes_everybody_within_a_quarter_of_an_hour() -> None:
    def at(minutes: int, **changes):
        given = {"severity": Severity.CRITICAL, "since": NOON, "acknowledged_at": None}
        return escalation.reached(**(given | changes), now=NOON + dt.timedelta(minutes=minutes))

    assert [step.duties for step in at(0)] == [(Duty.FIRST,)]
    assert at(0)[0].channels == (Channel.MAIL, Channel.WEBHOOK, Channel.PAGER)
    assert at(5)[-1].duties == (Duty.SECOND,)
    assert set(at(15)[-1].duties) == set(Duty)
    assert len(at(600, acknowledged_at=NOON + dt.timedelta(minutes=4))) == 1


@given(st.sampled_from(list(Severity)), st.integers(0, 10_000), st.integers(0, 10_000))
def test_steps_are_only_ever_added_as_time_goes_by(severity: Severity, first: int, more: int) -> None:
    def at(minutes: int):
        now = NOON + dt.timedelta(minutes=minutes)
        return escalation.reached(severity=severity, since=NOON, acknowledged_at=None, now=now)

    earlier, later = at(first), at(first + more)
    assert later[: len(earlier)] == earlier
    assert [step.number for step in later] == list(range(1, len(later) + 1))
