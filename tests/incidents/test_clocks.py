"""The clocks of a breach: worked examples and properties."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.incidents import clocks

WARSAW = ZoneInfo("Europe/Warsaw")
MOMENTS = st.datetimes(
    min_value=dt.datetime(2026, 1, 1),
    max_value=dt.datetime(2050, 1, 1),
    timezones=st.just(dt.UTC),
)


def warsaw(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=WARSAW)


@pytest.mark.clause("8.3.a")
@pytest.mark.parametrize(
    ("aware", "target", "latest"),
    [
        pytest.param("2026-12-18T16:40", "2026-12-21T16:40", "2026-12-21T17:00", id="weekend"),
        pytest.param("2026-12-23T12:17", "2026-12-26T12:17", "2026-12-26T13:00", id="holidays"),
        pytest.param("2026-10-23T22:30", "2026-10-26T21:30", "2026-10-26T22:00", id="clocks-back"),
        pytest.param("2027-03-26T10:05", "2027-03-29T11:05", "2027-03-29T12:00", id="clocks-forward"),
    ],
)
def test_authority_notice(aware: str, target: str, latest: str) -> None:
    deadline = clocks.authority_notice(warsaw(aware))
    assert deadline.target == warsaw(target)
    assert deadline.legal_latest == warsaw(latest)


@pytest.mark.clause("8.3.c")
def test_residents_clock_starts_on_the_earlier_date() -> None:
    by = clocks.residents_told_by(warsaw("2026-11-28T05:00"), operator_zone=WARSAW)
    assert by == dt.date(2026, 12, 27)


@pytest.mark.clause("8.3.c")
def test_attorney_general_only_above_500_residents() -> None:
    told = dt.date(2026, 12, 21)
    assert clocks.attorney_general_by(told, residents=501) == dt.date(2027, 1, 5)
    assert clocks.attorney_general_by(told, residents=500) is None


@pytest.mark.clause("8.3.b")
def test_people_are_told_within_the_house_limit() -> None:
    assert clocks.people_told_by(warsaw("2026-10-23T22:30")) == warsaw("2026-10-26T21:30")


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        clocks.authority_notice(dt.datetime(2026, 11, 24, 12, 0))


@given(MOMENTS)
def test_the_target_is_72_elapsed_hours_and_never_after_the_latest(aware: dt.datetime) -> None:
    deadline = clocks.authority_notice(aware.astimezone(WARSAW))
    assert deadline.target - aware == dt.timedelta(hours=72)
    assert dt.timedelta(0) < deadline.legal_latest - deadline.target <= dt.timedelta(hours=1)
