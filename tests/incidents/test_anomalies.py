"""Odd access by staff: each kind by itself, ordinary work, and from the journal to an alert."""

import datetime as dt
from uuid import uuid4

import pytest

from bench.anomalies import belongs, weeks
from bench.staff_behaviour import Year
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.audit.sequencing import sequence_once
from headshotly.incidents import anomalies, staff_watching
from headshotly.incidents.models import Alert
from headshotly.incidents.reading import JournalReader
from headshotly.incidents.stream import Stream

pytestmark = pytest.mark.clause("5.3.b")


@pytest.mark.parametrize("kind", anomalies.KINDS)
def test_most_attacks_of_a_kind_are_found_within_five_a_week(kind: str) -> None:
    year = Year(seed=101)
    for _ in range(6):
        year.inject(kind)
    shown = [one for week in weeks(year.accesses, 182) for one in anomalies.within_budget(week, budget=5)]
    found = sum(any(belongs(one, attack) for one in shown) for attack in year.attacks)
    assert found >= (3 if kind == "accumulation" else 5)


def test_ordinary_months_ask_for_little_attention() -> None:
    shown = [one for week in weeks(Year(seed=102).accesses, 182) for one in anomalies.within_budget(week, budget=5)]
    assert len(shown) / 20 < 2.0


def test_one_member_s_oddities_of_a_day_are_one_incident() -> None:
    at = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)
    make = lambda kind, score, hours: anomalies.Oddity(  # noqa: E731 - short here
        kind, "m", score, at + dt.timedelta(hours=hours), at + dt.timedelta(hours=hours), kind
    )
    first, second = anomalies.grouped([make("volume", 6, 0), make("device", 4, 20), make("volume", 5, 100)])
    assert first.kinds == ["device", "volume"]
    assert first.score == 8
    assert second.score == 5
    assert [one.member for one in anomalies.within_budget([first, second], budget=1)] == ["m"]


def test_nothing_is_odd_before_there_is_anything_to_compare_with() -> None:
    at = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)
    rows = [anomalies.Access("m", "support", at, f"c{n}", device="d") for n in range(40)]
    assert anomalies.find(rows, day=at.date()) == []


@pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])
def test_an_opening_without_a_reason_is_told_at_once_and_one_with_a_reason_is_not(detector) -> None:
    member = Actor(kind="staff", id=uuid4(), role="support")
    helped, pried = uuid4(), uuid4()
    audit.record(actor=member, act=Act.GRANT_USED, subject=helped)
    audit.record(actor=member, act=Act.FIELD_OPENED, subject=helped)
    sequence_once()
    stream = Stream([JournalReader()], detector)
    stream.step()
    assert staff_watching.look() == 0
    audit.record(actor=member, act=Act.OBJECT_OPENED, subject=pried)
    sequence_once()
    stream.step()
    assert staff_watching.look() == 1
    assert staff_watching.look() == 1
    alert = Alert.objects.get(kind="anomaly")
    assert (alert.level, alert.rule, alert.actor) == ("critical", "anomaly-unexplained", f"staff:{member.id}")
    assert len(alert.events) == 1
