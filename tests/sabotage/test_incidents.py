"""The watch over events, broken: section 8."""

import dataclasses
import datetime as dt
from uuid import uuid4

import pytest

from headshotly.incidents import expectations, overseeing, plan, planting
from headshotly.incidents.assessment import Risk
from headshotly.incidents.models import Breach, Exercise, Judgement, Offset, Source
from headshotly.incidents.phases import Origin, Phase, Severity
from headshotly.incidents.reading import SpoolReader
from headshotly.incidents.sources import heartbeat
from headshotly.incidents.stream import DETECTOR, Stream
from headshotly.proof.checks import planted_event_alerts
from tests.incidents import casework
from tests.incidents.conftest import _fresh_spool, detector, own_book  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def heard(scene):
    """A detector that just worked, and a source that was just heard."""
    Offset.objects.update_or_create(reader=DETECTOR, defaults={"moved_at": scene.now})
    Source.objects.update_or_create(name=expectations.HEARTBEAT, defaults={"last_seen_at": scene.now})


@pytest.mark.sabotage("event_sources_are_heard", "a source falls silent")
def test_a_silent_source(watch, heard, scene) -> None:
    watch.is_content()
    Source.objects.update(last_seen_at=scene.now - dt.timedelta(hours=1))
    watch.is_broken("heartbeat")


@pytest.mark.sabotage("event_sources_are_heard", "nobody reads the events")
def test_a_dead_detector(watch, heard, scene) -> None:
    Offset.objects.update(moved_at=scene.now - overseeing.IDLE - dt.timedelta(seconds=1))
    watch.is_broken("no sign of life")


@pytest.mark.sabotage("event_sources_are_heard", "the detector falls behind")
def test_a_slow_detector(watch, heard, monkeypatch) -> None:
    monkeypatch.setattr(overseeing.sequencing, "size", lambda: 50_000)
    watch.is_broken("entries behind")


@pytest.mark.sabotage("planted_event_alerts", "events are written and nobody turns them into alerts")
def test_a_deaf_detector(watch, detector, monkeypatch) -> None:  # noqa: F811 - a fixture
    plant = planting.plant
    stream = Stream([SpoolReader("heartbeat", heartbeat.observe)], detector)

    def plant_and_read() -> str:
        mark = plant()
        stream.step()
        return mark

    with monkeypatch.context() as patched:
        patched.setattr(planting, "plant", plant_and_read)
        watch.is_content()
    monkeypatch.setattr(planted_event_alerts, "LIMIT_SECONDS", 0.2)
    watch.is_broken("raised no alert")


@pytest.mark.sabotage("cases_in_time", "nobody takes a case")
def test_a_case_nobody_takes(watch, later) -> None:
    case = casework.open_case(Severity.CRITICAL)
    watch.is_content()
    later(days=2)
    watch.is_broken(case.reference)


@pytest.mark.sabotage("response_is_ready", "the plan is not exercised for more than a year")
def test_no_exercise(watch, scene, later) -> None:
    case = casework.open_case(origin=Origin.EXERCISE)
    Exercise.objects.create(
        script="s", script_sha256="0" * 64, case=case, begun_at=scene.now, begun_by=uuid4(),
        participants="a, b", ended_at=scene.now, ended_by=uuid4(), passed=True,
    )  # fmt: skip
    watch.is_content()
    later(days=370)
    watch.is_broken("exercised more than a year ago")


@pytest.mark.sabotage("response_is_ready", "the plan says nothing about recovery any more")
def test_a_plan_with_a_gap(watch, monkeypatch) -> None:
    known = plan.plan()
    rest = tuple(one for one in known.procedures if one.phase is not Phase.RECOVERY)
    monkeypatch.setattr(plan, "plan", lambda: dataclasses.replace(known, procedures=rest))
    watch.is_broken("phase recovery")


@pytest.fixture
def breach(scene):
    return casework.breach_of(casework.taken())


def judged_high(breach, scene) -> None:
    Judgement.objects.create(
        breach=breach, score=4, proposed=Risk.HIGH, risk=Risk.HIGH, because="Faces.", judged_at=scene.now,
        judged_by=uuid4(),
    )  # fmt: skip


@pytest.mark.sabotage("authority_is_told", "the authority is not told of a breach within its time")
def test_an_authority_that_is_not_told(watch, breach, later) -> None:
    watch.is_content()
    later(hours=80)
    watch.is_broken(breach.case.reference)


@pytest.mark.sabotage("people_are_told", "people at high risk are not told")
def test_people_who_are_not_told(watch, breach, scene, later) -> None:
    judged_high(breach, scene)
    watch.is_content()
    later(hours=80)
    watch.is_broken(breach.case.reference)


@pytest.mark.sabotage("californians_are_told", "residents of California are not told within 30 days")
def test_californians_who_are_not_told(watch, breach, scene, later) -> None:
    Breach.objects.filter(id=breach.id).update(kinds=["email", "password"], scoped_at=scene.now, residents=7)
    watch.is_content()
    later(days=33)
    watch.is_broken(breach.case.reference)
