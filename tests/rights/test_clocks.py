"""The clocks of requests: worked examples and properties over decades."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshotly.policy import calendars
from headshotly.rights import clocks

DAYS = st.dates(min_value=dt.date(2025, 1, 1), max_value=dt.date(2055, 12, 31))


@pytest.mark.clause("1.2.c")
@pytest.mark.parametrize(
    ("received", "answer", "extended"),
    [
        # 24 December is a holiday since 2025, 25 and 26 are, 27 is a Sunday.
        ("2026-11-24", "2026-12-28", "2027-02-24"),
        # 28 February is a Sunday; the extension counts from receipt, not from 1 March.
        ("2027-01-31", "2027-03-01", "2027-04-30"),
        # A leap day, a Tuesday; three months on, 29 April is a Saturday and 1 May a holiday.
        ("2028-01-29", "2028-02-29", "2028-05-02"),
    ],
)
def test_gdpr_request(received: str, answer: str, extended: str) -> None:
    deadlines = clocks.gdpr_request(dt.date.fromisoformat(received))
    assert (deadlines.answer_by.isoformat(), deadlines.extended_by.isoformat()) == (answer, extended)


@pytest.mark.clause("1.2.c")
def test_california_request_over_thanksgiving() -> None:
    deadlines = clocks.california_request(dt.date(2026, 11, 20))
    assert deadlines.confirm_by == dt.date(2026, 12, 7)
    assert deadlines.answer_by == dt.date(2027, 1, 3)
    assert deadlines.longest == dt.date(2027, 2, 17)


@pytest.mark.clause("1.2.c")
def test_opt_out_over_the_turn_of_the_year() -> None:
    assert clocks.california_opt_out(dt.date(2026, 12, 18)) == dt.date(2027, 1, 12)


def test_nobody_is_asked_again_within_a_year_of_opting_out() -> None:
    assert clocks.may_ask_again_from(dt.date(2026, 11, 24)) == dt.date(2027, 11, 24)
    assert clocks.may_ask_again_from(dt.date(2028, 2, 29)) == dt.date(2029, 2, 28)


def test_records_and_the_dpo_notice() -> None:
    assert clocks.keep_record_until(dt.date(2026, 11, 24)) == dt.date(2028, 11, 24)
    assert clocks.tell_authority_of_new_dpo_by(dt.date(2026, 11, 24)) == dt.date(2026, 12, 8)


@given(DAYS)
def test_a_gdpr_answer_is_due_on_a_working_day_in_the_next_month_or_just_after(received: dt.date) -> None:
    deadlines = clocks.gdpr_request(received)
    assert not calendars.closed_in_poland(deadlines.answer_by)
    assert not calendars.closed_in_poland(deadlines.extended_by)
    assert dt.timedelta(28) <= deadlines.answer_by - received <= dt.timedelta(31 + 6)
    assert deadlines.answer_by < deadlines.extended_by


@given(DAYS)
def test_a_californian_deadline_never_rolls(received: dt.date) -> None:
    deadlines = clocks.california_request(received)
    assert deadlines.answer_by - received == dt.timedelta(44)
    assert deadlines.longest - received == dt.timedelta(89)
    assert dt.timedelta(12) <= deadlines.confirm_by - received <= dt.timedelta(18)


@given(DAYS, st.integers(min_value=1, max_value=30))
def test_business_days_are_counted_one_by_one(day: dt.date, count: int) -> None:
    end = calendars.add_business_days(day, count)
    between = [day + dt.timedelta(n) for n in range(1, (end - day).days + 1)]
    assert sum(not calendars.closed_in_california(d) for d in between) == count
    assert not calendars.closed_in_california(end)


def test_no_business_days_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        calendars.add_business_days(dt.date(2026, 11, 24), 0)


@given(DAYS, st.integers(min_value=0, max_value=120))
def test_adding_months_lands_in_that_month(day: dt.date, months: int) -> None:
    later = calendars.add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day <= day.day
    if later.day < day.day:
        assert (later + dt.timedelta(1)).day == 1
