"""The worker and the vendor gate as sources of their own: every decision becomes an event, and nobody waits for it."""

import json
import socket
from uuid import uuid4

import pytest

from headshotly.incidents import setting_up, spool, watching
from headshotly.incidents.errors import EventRefused
from headshotly.incidents.models import Alert, Event
from headshotly.incidents.reading import SpoolReader
from headshotly.incidents.sources import gate as gate_source
from headshotly.incidents.sources import work
from headshotly.incidents.stream import Stream
from headshotly.vendors import closures, gate
from headshotly.vendors.decisions import Decision
from headshotly.vendors.errors import EgressRefused
from tests.incidents.casework import OFFICER
from tests.incidents.conftest import NOON
from tests.incidents.test_stream import settle
from tests.vendors.conftest import _outside_is_played, make_vendor  # noqa: F401 - the real gate

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])


def read(detector, name: str) -> list[Event]:
    [reader] = [one for one in setting_up.readers() if one.name == name]
    settle(Stream([reader], detector))
    return list(Event.objects.filter(source=name).order_by("id"))


@pytest.mark.clause("8.2.b", "1.2.d")
def test_each_decision_of_the_gate_is_an_event(detector, make_vendor) -> None:  # noqa: F811
    make_vendor()
    subject = uuid4()
    gate.require("api.stripe.com", carries=("order and payment references",), about=subject)
    with pytest.raises(EgressRefused):
        gate.require("tracker.example")
    with pytest.raises(EgressRefused):
        gate.require("api.stripe.com", carries=("sealed photos and personal data",))
    with pytest.raises(EgressRefused):
        socket.getaddrinfo("past.example", 443)
    closures.close(actor=OFFICER, vendor="stripe", because="looked into")
    with pytest.raises(closures.VendorClosed):
        gate.require("api.stripe.com")
    events = read(detector, "vendor-gate")
    said = [(one.act, one.outcome, one.ocsf.get("status_detail", "")) for one in events]
    assert said == [
        ("let out: api.stripe.com", "success", ""),
        ("refused: tracker.example", "failure", "unknown"),
        ("refused: api.stripe.com", "failure", "beyond"),
        ("refused: past.example", "failure", "past"),
        ("refused: api.stripe.com", "failure", "closed"),
    ]
    assert events[0].subject == subject
    [alert] = Alert.objects.all()
    assert (alert.title, alert.level, alert.hits) == (
        "Something tried to reach a host that nobody agreed to",
        "high",
        2,
    )


def test_a_full_disk_neither_opens_nor_shuts_the_gate(make_vendor, monkeypatch) -> None:  # noqa: F811
    make_vendor()

    def full(*_) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool.os, "write", full)
    assert gate.require("api.stripe.com") == "stripe"
    with pytest.raises(EgressRefused):
        gate.require("tracker.example")
    assert len(spool.writer("vendor-gate").waiting) == 2


def test_a_step_told_twice_is_one_event(detector) -> None:
    task = uuid4()
    for _ in range(2):
        watching.saw_task(task=task, claimed_at=NOON, path="a.b", what="taken", attempt=1)
    watching.saw_task(task=task, claimed_at=NOON, path="a.b", what="finished", attempt=1, seconds=2.5)
    watching.saw_failure(product="python", error="KeyError", where="a.b")
    events = read(detector, "worker")
    assert [one.act for one in events] == ["taken: a.b", "finished: a.b", "KeyError in a.b"]
    assert events[1].ocsf["duration"] == 2500
    assert json.loads(bytes(events[0].raw))["task"] == str(task)


@pytest.mark.parametrize("broken", [{}, {"what": "invented"}, {"what": "taken", "attempt": "x"}, {"what": None}])
def test_a_line_of_the_worker_that_is_none_is_refused(broken) -> None:
    whole = {"id": "1", "at": "2026-11-20T12:00:00+00:00", "task": "t", "where": "a.b", "attempt": 1}
    with pytest.raises(EventRefused):
        work.observe(whole | broken, b"")


@pytest.mark.parametrize("broken", [{"at": "noon"}, {"carries": None}, {"subject": "nobody"}, {"subject": 5}])
def test_a_line_of_the_gate_that_is_none_is_refused(broken) -> None:
    watching.saw_decision(Decision(host="a.example", opened=True))
    [path] = spool.segments("vendor-gate")
    [line] = [json.loads(one.data) for one in spool.lines(path, start=0, most=5)]
    assert gate_source.observe(line, b"").act == "let out: a.example"
    with pytest.raises(EventRefused):
        gate_source.observe(line | broken, b"")


def test_a_forged_line_costs_only_itself(detector) -> None:
    spool.writer("vendor-gate").append({"host": 1}, {"lost": "many"})
    watching.saw_decision(Decision(host="a.example", opened=True))
    batch = SpoolReader("vendor-gate", gate_source.observe).read()
    assert (batch.refused, len(batch.observations)) == (2, 1)
