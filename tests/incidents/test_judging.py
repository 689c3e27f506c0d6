"""How grave a breach is, whether California's statute applies, and the clocks that follow."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.incidents import california
from headshotly.incidents.assessment import Circumstances, Harm, Risk, Spread, assess, is_lower
from headshotly.incidents.data_kinds import KINDS
from headshotly.incidents.obligations import COMPLETE_WITHIN, Addressee, Facts, Standing, obligations

WARSAW = ZoneInfo("Europe/Warsaw")
KIND_SETS = st.frozensets(st.sampled_from(sorted(KINDS)), min_size=1)


def seen(*kinds: str, **changes) -> Circumstances:
    return Circumstances(**({"kinds": frozenset(kinds), "people": 1, "spread": Spread.KNOWN} | changes))


@pytest.mark.clause("8.3.a", "8.3.b")
@pytest.mark.parametrize(
    ("known", "score", "risk"),
    [
        pytest.param(seen("email"), 1.25, Risk.UNLIKELY, id="one-address-to-a-known-recipient"),
        pytest.param(seen("photo"), 2.25, Risk.RISK, id="photos-to-a-known-recipient"),
        pytest.param(seen("photo", spread=Spread.UNKNOWN, malicious=True), 3.0, Risk.HIGH, id="photos-stolen"),
        pytest.param(seen("export", spread=Spread.UNKNOWN), 3.5, Risk.HIGH, id="everything-to-anybody"),
        pytest.param(
            seen("photo", spread=Spread.UNKNOWN, malicious=True, intelligible=False), 3.0, Risk.UNLIKELY, id="encrypted"
        ),
        pytest.param(
            seen("photo", spread=Spread.NONE, availability=Harm.LASTING, intelligible=False), 2.5, Risk.RISK,
            id="encrypted-but-lost",
        ),
        pytest.param(seen("email", "name", "photo"), 3.25, Risk.HIGH, id="a-profile"),
    ],
)  # fmt: skip
def test_worked_examples(known: Circumstances, score: float, risk: Risk) -> None:
    found = assess(known)
    assert (found.score, found.risk) == (score, risk)
    assert found.reasons


@given(KIND_SETS, st.integers(0, 10**6), st.booleans(), st.booleans())
def test_more_is_never_milder(kinds: frozenset[str], people: int, malicious: bool, vulnerable: bool) -> None:
    plain = assess(Circumstances(kinds=kinds, people=people, spread=Spread.NONE))
    worse = assess(
        Circumstances(kinds=kinds, people=people, spread=Spread.UNKNOWN, malicious=malicious, vulnerable=vulnerable)
    )
    assert worse.score >= plain.score
    assert not is_lower(worse.risk, plain.risk)
    assert 0 < plain.score <= 4


@pytest.mark.parametrize("kinds", [frozenset(), frozenset({"blood type"})])
def test_nothing_and_nonsense_are_not_judged(kinds: frozenset[str]) -> None:
    with pytest.raises(ValueError, match="kind"):
        assess(Circumstances(kinds=kinds, people=1, spread=Spread.NONE))


@pytest.mark.clause("8.3.c")
@pytest.mark.parametrize(
    ("kinds", "named", "applies"),
    [
        ({"name", "photo"}, {}, False),
        ({"name", "photo"}, {"facial_recognition": True}, True),
        ({"photo"}, {"facial_recognition": True}, False),
        ({"email", "password"}, {}, True),
        ({"email", "second-factor"}, {}, True),
        ({"email"}, {}, False),
        ({"email", "password"}, {"intelligible": False}, False),
        ({"email", "password"}, {"acquired": False}, False),
        ({"unknown"}, {}, True),
    ],
)
def test_the_californian_statute(kinds: set[str], named: dict[str, bool], applies: bool) -> None:
    found = california.finding(frozenset(kinds), **({"intelligible": True} | named))
    assert found.applies is applies
    assert "1798.82" in found.because or "not be determined" in found.because


def facts(**changes) -> Facts:
    known = {
        "aware_at": dt.datetime(2026, 12, 18, 16, 40, tzinfo=WARSAW),
        "risk": None,
        "found_high_at": None,
        "california": None,
        "residents": 0,
        "told": {},
        "completed": {},
        "decided": frozenset(),
        "zone": WARSAW,
    }
    return Facts(**(known | changes))


def owed(known: Facts, at: str) -> dict[Addressee, object]:
    now = dt.datetime.fromisoformat(at).replace(tzinfo=WARSAW)
    return {one.addressee: one for one in obligations(known, now=now)}


@pytest.mark.clause("8.3.a")
def test_the_authority_is_owed_from_awareness_on_whatever_was_judged() -> None:
    for risk in (None, *Risk):
        one = owed(facts(risk=risk), "2026-12-21T16:59")[Addressee.AUTHORITY]
        assert one.standing is Standing.OPEN
        assert one.target.astimezone(WARSAW).isoformat() == "2026-12-21T16:40:00+01:00"
        assert one.latest.astimezone(WARSAW).isoformat() == "2026-12-21T17:00:00+01:00"
    assert owed(facts(), "2026-12-21T17:01")[Addressee.AUTHORITY].standing is Standing.LATE
    decided = facts(risk=Risk.UNLIKELY, decided=frozenset({Addressee.AUTHORITY}))
    assert owed(decided, "2027-03-01T00:00")[Addressee.AUTHORITY].standing is Standing.DECIDED


@pytest.mark.clause("8.3.a")
def test_an_initial_notice_stops_the_first_clock_and_starts_the_next() -> None:
    told = dt.datetime(2026, 12, 20, 9, tzinfo=WARSAW)
    begun = facts(told={Addressee.AUTHORITY: told})
    one = owed(begun, "2026-12-22T00:00")[Addressee.AUTHORITY]
    assert (one.standing, one.latest, one.waits) == (Standing.PARTLY, told + COMPLETE_WITHIN, True)
    assert owed(begun, "2027-02-01T00:00")[Addressee.AUTHORITY].standing is Standing.LATE
    whole = facts(told={Addressee.AUTHORITY: told}, completed={Addressee.AUTHORITY: told})
    assert owed(whole, "2027-02-01T00:00")[Addressee.AUTHORITY].standing is Standing.DONE


@pytest.mark.clause("8.3.b")
def test_people_are_owed_only_at_a_high_risk_within_the_house_limit() -> None:
    high = dt.datetime(2026, 12, 19, 10, tzinfo=WARSAW)
    assert owed(facts(risk=Risk.RISK), "2027-01-01T00:00")[Addressee.PEOPLE].standing is Standing.NOT_OWED
    one = owed(facts(risk=Risk.HIGH, found_high_at=high), "2026-12-22T09:59")[Addressee.PEOPLE]
    assert (one.standing, one.latest) == (Standing.OPEN, high + dt.timedelta(hours=72))
    late = owed(facts(risk=Risk.HIGH, found_high_at=high), "2026-12-22T10:01")[Addressee.PEOPLE]
    assert late.standing is Standing.LATE


@pytest.mark.clause("8.3.c")
def test_worked_example_of_california() -> None:
    found = dt.datetime(2026, 11, 28, 5, 0, tzinfo=WARSAW)
    known = facts(aware_at=found, california=True, residents=501)
    one = owed(known, "2026-12-01T00:00")[Addressee.RESIDENTS]
    # The whole of Sunday 2026-12-27 in California, which no weekend rolls forward.
    assert one.latest.isoformat() == "2026-12-28T08:00:00+00:00"
    told = dt.datetime(2026, 12, 21, 12, tzinfo=ZoneInfo("America/Los_Angeles"))
    after = facts(aware_at=found, california=True, residents=501, told={Addressee.RESIDENTS: told})
    general = owed(after, "2026-12-22T00:00")[Addressee.ATTORNEY_GENERAL]
    assert (general.standing, general.latest.isoformat()) == (Standing.OPEN, "2027-01-06T08:00:00+00:00")
    few = facts(aware_at=found, california=True, residents=500, told={Addressee.RESIDENTS: told})
    assert owed(few, "2026-12-22T00:00")[Addressee.ATTORNEY_GENERAL].standing is Standing.NOT_OWED


@pytest.mark.clause("8.3.c")
def test_law_enforcement_delays_the_residents_and_nothing_else() -> None:
    found = dt.datetime(2026, 11, 28, 5, 0, tzinfo=WARSAW)
    known = facts(aware_at=found, california=True, residents=1, delayed_until=dt.date(2027, 1, 31))
    answer = owed(known, "2027-01-15T00:00")
    assert answer[Addressee.RESIDENTS].standing is Standing.OPEN
    assert answer[Addressee.AUTHORITY].standing is Standing.LATE
