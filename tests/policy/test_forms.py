"""What rooms read from their forms: a date, a whole number, or a refusal in plain words."""

import datetime as dt

import pytest
from django.test import RequestFactory

from headshotly.policy import forms
from headshotly.policy.forms import Unreadable


def posted(**fields: str):
    return RequestFactory().post("/", fields)


def test_what_is_typed_is_read_without_the_space_around_it() -> None:
    request = posted(when=" 2026-12-31 ", many=" 007 ", words="  a b ")
    assert forms.day(request, "when") == dt.date(2026, 12, 31)
    assert (forms.number(request, "many"), forms.number(request, "absent", empty=0)) == (7, 0)
    assert (forms.text(request, "words"), forms.text(request, "absent")) == ("a b", "")


@pytest.mark.parametrize("typed", ["", "-1", "1.5", "٣", "²", "1e3", "0x10", "1" * 10, "1_000"])
def test_what_is_no_whole_number_is_refused(typed: str) -> None:
    with pytest.raises(Unreadable, match="whole number"):
        forms.number(posted(many=typed), "many")


@pytest.mark.parametrize("typed", ["", "31.12.2026", "2026-02-30", "2026-12", "tomorrow", "2026-12-31T09:00"])
def test_what_is_no_date_is_refused(typed: str) -> None:
    with pytest.raises(Unreadable, match="2026-12-31") as refused:
        forms.day(posted(when=typed), "when")
    assert refused.value.status == 422
