"""Today is the operator's day: soon after midnight in Warsaw it is not the day that UTC still has."""

import datetime as dt

import pytest

from headshotly.policy import clock, configuration, dates


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-27T22:59:59+00:00", "2026-11-27"),
        ("2026-11-27T23:00:00+00:00", "2026-11-28"),
        ("2026-07-01T22:00:00+00:00", "2026-07-02"),  # summer time
        ("2026-12-31T23:30:00+00:00", "2027-01-01"),
        ("2026-11-28T05:00:00+09:00", "2026-11-27"),
    ],
)
def test_a_moment_falls_on_the_operators_day(moment: str, day: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert configuration.current().operator.time_zone == "Europe/Warsaw"
    assert dates.day_of(dt.datetime.fromisoformat(moment)) == dt.date.fromisoformat(day)
    monkeypatch.setattr(clock, "now", lambda: dt.datetime.fromisoformat(moment))
    assert dates.today() == dt.date.fromisoformat(day)
