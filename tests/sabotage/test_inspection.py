"""The request inspection, broken: section 2.3."""

import pytest

from headshotly.incidents import blocks, inspecting, planting, watching
from headshotly.incidents.reading import SpoolReader
from headshotly.incidents.sources import web
from headshotly.incidents.stream import Stream
from headshotly.proof.checks import attack_is_blocked
from tests.incidents.conftest import _fresh_spool, detector, own_book  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def reads_web(detector, monkeypatch):  # noqa: F811 - a fixture
    """Let the detector read what the service wrote before the check waits for it."""
    wait, stream = planting.wait_for_blocked, Stream([SpoolReader("web", web.observe)], detector)

    def read_and_wait(**asked):
        stream.step()
        return wait(**asked)

    monkeypatch.setattr(planting, "wait_for_blocked", read_and_wait)


@pytest.mark.sabotage("attack_is_blocked", "the request inspection lets an attack through")
def test_a_blind_inspection(watch, reads_web, monkeypatch) -> None:
    watch.is_content()
    monkeypatch.setattr(inspecting, "blocks", lambda findings: any(one.kind != "Path traversal" for one in findings))
    watch.is_broken("path traversal")


@pytest.mark.sabotage("attack_is_blocked", "everything is refused, so that nothing is told of attacks")
def test_an_inspection_that_refuses_everything(watch, reads_web, monkeypatch) -> None:
    watch.is_content()
    monkeypatch.setattr(blocks, "is_blocked", lambda _client: True)
    watch.is_broken("harmless")


@pytest.mark.sabotage("attack_is_blocked", "attacks are refused and nobody is told")
def test_attacks_nobody_is_told_of(watch, reads_web, monkeypatch) -> None:
    watch.is_content()
    monkeypatch.setattr(attack_is_blocked, "LIMIT_SECONDS", 0.2)
    monkeypatch.setattr(watching, "saw_request", lambda *_said, **_more: None)
    watch.is_broken("no alert")
