"""The watch over events, broken: section 8."""

import datetime as dt

import pytest

from headshotly.incidents import expectations, overseeing, planting
from headshotly.incidents.models import Offset, Source
from headshotly.incidents.reading import SpoolReader
from headshotly.incidents.sources import heartbeat
from headshotly.incidents.stream import DETECTOR, Stream
from headshotly.proof.checks import planted_event_alerts
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
