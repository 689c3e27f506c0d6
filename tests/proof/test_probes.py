"""Trying the gates is no attack: verifying again and again alarms nobody, and the same against somebody else does."""

from uuid import uuid4

import pytest

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.audit.sequencing import sequence_once
from headshotly.incidents.models import Alert
from headshotly.incidents.reading import JournalReader
from headshotly.incidents.stream import Stream
from headshotly.proof import registry
from headshotly.proof.findings import Outcome as Found
from headshotly.proof.services import look_once
from tests.incidents.conftest import _fresh_spool, detector, own_book  # noqa: F401 - fixtures

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.clause("5.3.a")]


def alarmed(stream: Stream) -> list[str]:
    while sequence_once():
        pass
    while stream.step():
        pass
    return list(Alert.objects.values_list("title", flat=True))


def test_trying_forged_warrants_on_the_canary_alarms_nobody(scene, detector) -> None:  # noqa: F811 - a fixture
    stream = Stream([JournalReader()], detector)
    for _ in range(4):
        assert look_once(registry.load()["opening_needs_a_warrant"], scene).outcome is Found.HELD
    assert "Many warrants were refused" not in alarmed(stream)
    someone, actor = uuid4(), Actor(kind="service", id=uuid4(), role="proof-canary")
    for _ in range(5):
        audit.record(actor=actor, act=Act.WARRANT_REFUSED, subject=someone, outcome=Outcome.REFUSED)
    assert "Many warrants were refused" in alarmed(stream)
