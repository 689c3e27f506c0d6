"""How a vendor stands: worked days, and rules that hold for all of them."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.vendors.standing import CADENCE, GRACE, WARNING, Facts, Standing, judge

TODAY = dt.date(2026, 11, 27)
LATER = TODAY + dt.timedelta(days=200)
SOUND = {
    "name": "Stripe",
    "approved": True,
    "tier": "critical",
    "categories": ("order and payment references",),
    "regions": ("IE",),
    "agreement_until": LATER,
    "evidence_until": LATER,
    "assessed_on": TODAY - dt.timedelta(days=10),
}


def standing(**changed) -> tuple[Standing, str]:
    return judge(Facts(**{**SOUND, **changed}), today=TODAY)


def day(offset: int) -> dt.date:
    return TODAY + dt.timedelta(days=offset)


@pytest.mark.clause("9.1.b")
@pytest.mark.parametrize(
    ("changed", "expected", "words"),
    [
        ({}, Standing.OPEN, "Approved"),
        ({"approved": False}, Standing.CLOSED, "not approved"),
        ({"regions": ("IE", "US")}, Standing.CLOSED, "outside the European Union (US)"),
        ({"regions": ("eu-west-2",)}, Standing.CLOSED, "eu-west-2"),
        ({"regions": ()}, Standing.CLOSED, "nowhere it names"),
        ({"regions": ("US",), "categories": ()}, Standing.OPEN, "Approved"),
        ({"agreement_until": None}, Standing.CLOSED, "No data-processing agreement"),
        ({"agreement_until": day(-1)}, Standing.CLOSED, "No data-processing agreement"),
        ({"agreement_until": day(0)}, Standing.WARNED, "ends on"),
        ({"agreement_until": day(31)}, Standing.OPEN, "Approved"),
        ({"agreement_until": None, "categories": ()}, Standing.OPEN, "Approved"),
        ({"evidence_until": None}, Standing.CLOSED, "no audit report"),
        ({"evidence_until": None, "tier": "important"}, Standing.OPEN, "Approved"),
        ({"evidence_until": day(-1)}, Standing.DEGRADED, "audit report"),
        ({"evidence_until": day(-31)}, Standing.CLOSED, "audit report"),
        ({"assessed_on": None}, Standing.CLOSED, "never assessed"),
        ({"assessed_on": day(-340)}, Standing.WARNED, "is due on"),
        ({"assessed_on": day(-366)}, Standing.DEGRADED, "is due on"),
        ({"assessed_on": day(-396)}, Standing.CLOSED, "is due on"),
        ({"assessed_on": day(-366), "tier": "important"}, Standing.OPEN, "Approved"),
    ],
)
def test_each_lapse_has_its_standing(changed, expected, words):
    found, because = standing(**changed)
    assert found is expected
    assert words in because


@pytest.mark.clause("9.2")
@given(
    assessed=st.integers(-1200, 0),
    evidence=st.integers(-100, 400),
    agreement=st.integers(-100, 400),
    tier=st.sampled_from(sorted(CADENCE)),
    older=st.integers(1, 60),
)
def test_waiting_never_opens_the_gate_further(assessed, evidence, agreement, tier, older):
    facts = Facts(
        **{
            **SOUND,
            "tier": tier,
            "assessed_on": day(assessed),
            "evidence_until": day(evidence),
            "agreement_until": day(agreement),
        }
    )
    now, _ = judge(facts, today=TODAY)
    later, _ = judge(facts, today=TODAY + dt.timedelta(days=older))
    assert later >= now


@pytest.mark.clause("9.2")
def test_everything_is_warned_of_before_it_closes():
    """Day by day from sound to closed: never from open straight to closed, and each step lasts its time."""
    facts = Facts(**{**SOUND, "agreement_until": dt.date(2030, 1, 1), "evidence_until": dt.date(2030, 1, 1)})
    due = facts.next_assessment
    steps = [judge(facts, today=due + dt.timedelta(days=offset))[0] for offset in range(-60, 60)]
    assert steps == sorted(steps)
    assert steps.count(Standing.WARNED) == WARNING.days + 1
    assert steps.count(Standing.DEGRADED) == GRACE.days
    assert steps[-1] is Standing.CLOSED
