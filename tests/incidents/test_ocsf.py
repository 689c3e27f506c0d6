"""Every event we store, held against the schema OCSF publishes for the version we pin."""

import datetime as dt
import json
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.audit.leaf import Leaf
from headshotly.incidents import ocsf
from headshotly.incidents.sources import (
    amazon,
    application,
    collected,
    gate,
    heartbeat,
    journal,
    suricata,
    syslog,
    web,
    work,
)
from tests.incidents.conftest import NOON
from tests.incidents.test_own_rules import CASES, sequence
from tests.incidents.test_sources import DROPPED, LOGIN

PUBLISHED = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=ocsf.VERSION))
CLASSES = [ocsf.BASE, ocsf.DETECTION, ocsf.ACCOUNT_CHANGE, ocsf.AUTHENTICATION, ocsf.NETWORK, ocsf.HTTP, ocsf.API]


@cache
def validator(class_uid: int, *profiles: str) -> Draft202012Validator:
    name = PUBLISHED.lookup_class_name_from_uid(class_uid=class_uid)
    return Draft202012Validator(PUBLISHED.get_class_schema(class_name=name, profiles=list(profiles)))


def faults(event: dict[str, Any]) -> list[str]:
    stored = json.loads(json.dumps(event))
    held = validator(event["class_uid"], *event.get("metadata", {}).get("profiles", ()))
    return [f"{'.'.join(map(str, one.path))}: {one.message[:300]}" for one in held.iter_errors(stored)]


def entry(act: Act, **more) -> dict[str, Any]:
    known = {
        "entry_id": uuid4(), "occurred_at": NOON, "act": act, "outcome": Outcome.DONE,
        "actor": Actor(kind="staff", id=uuid4(), role="support"), "subject": uuid4(), "purpose": "",
    }  # fmt: skip
    leaf = Leaf(**(known | more))
    return journal.observe(leaf, leaf.encode()).ocsf


LINE = {"id": "1", "at": NOON.isoformat()}
REQUEST = LINE | {"method": "POST", "path": "/studio/", "query": "a=b", "status": 302, "agent": "Firefox"}
DECISION = LINE | {
    "host": "api.stripe.com",
    "vendor": "stripe",
    "reason": "",
    "opened": True,
    "carries": ["x"],
    "subject": str(UUID(int=4)),
}
STEP = LINE | {"task": "t", "where": "a.b", "attempt": 2, "error": "", "seconds": 1.25}
FINDING = {
    "Id": "f1",
    "Type": "Recon:EC2/Portscan",
    "Severity": 5,
    "UpdatedAt": "2026-11-20T12:00:00Z",
    "Region": "eu-north-1",
}
FLOW = b"2 111122223333 eni-1 198.51.100.7 10.0.0.1 4711 22 6 3 180 1784000000 1784000060 REJECT OK"
SHORT_FLOW = b"version srcaddr dstaddr start action log-status\n2 198.51.100.1 10.0.0.2 1784000000 REJECT OK\n"
EVE = {
    "timestamp": NOON.isoformat(),
    "src_ip": "198.51.100.7",
    "src_port": 4711,
    "dest_ip": "10.0.0.1",
    "dest_port": 443,
    "proto": "TCP",
}
SYSLOG = b'<38>1 2026-11-20T12:00:00Z bastion sshd 12 - [a b="c"] Failed password'
EVENTS = {
    "web": web.observe(REQUEST | {"address": "net-1", "actor": "customer:1"}, b"{}").ocsf,
    "web, unknown method, nobody": web.observe(REQUEST | {"method": "BREW", "query": ""}, b"{}").ocsf,
    "error of a request": application.observe(
        LINE | {"product": "django", "error": "KeyError", "where": "x"}, b""
    ).ocsf,
    "error of a task": work.observe(LINE | {"product": "python", "error": "KeyError", "where": "x"}, b"").ocsf,
    "gate, let out": gate.observe(DECISION, b"").ocsf,
    "gate, refused": gate.observe(
        DECISION | {"opened": False, "reason": "unknown", "vendor": "", "carries": []}, b""
    ).ocsf,
    **{f"worker, {what}": work.observe(STEP | {"what": what}, b"").ocsf for what in work._OUTCOMES},
    "heartbeat": heartbeat.observe(LINE, b"").ocsf,
    "planted": heartbeat.observe(LINE | {"planted": "0a1b"}, b"").ocsf,
    "collector": collected.observe(
        LINE | {"account": "a", "event": {"time": NOON.isoformat(), "fields": {"x": [1]}}}, b""
    ).ocsf,
    "syslog": syslog.observe(SYSLOG, uid="1", received_at=NOON).ocsf,
    "syslog, bare": syslog.observe(b"<13>1 - - - - - -", uid="1", received_at=NOON).ocsf,
    "CloudTrail, sign-in": amazon.cloudtrail(LOGIN).ocsf,
    "CloudTrail, call by a service": amazon.cloudtrail(
        LOGIN
        | {
            "eventName": "PutObject",
            "eventSource": "s3.amazonaws.com",
            "sourceIPAddress": "config.amazonaws.com",
            "userIdentity": {"type": "AWSService"},
        }
    ).ocsf,
    "CloudTrail, bare": amazon.cloudtrail({"eventID": "1", "eventName": "X", "eventTime": "2026-11-20T12:00:00Z"}).ocsf,
    "GuardDuty": amazon.guardduty(FINDING).ocsf,
    "flow": amazon.flow(next(amazon.flow_lines(FLOW))).ocsf,
    "flow, few fields": amazon.flow(next(amazon.flow_lines(SHORT_FLOW))).ocsf,
    "Suricata, alert": suricata.observe(
        json.dumps(
            EVE | {"event_type": "alert", "alert": {"severity": 1, "signature": "Shell", "signature_id": 1}}
        ).encode()
    ).ocsf,
    "Suricata, alert without a rule": suricata.observe(
        json.dumps({"timestamp": NOON.isoformat(), "event_type": "alert"}).encode()
    ).ocsf,
    "Network Firewall, dropped": amazon.firewall(DROPPED).ocsf,
    "Suricata, flow": suricata.observe(json.dumps(EVE | {"event_type": "flow"}).encode()).ocsf,
    "Suricata, statistics": suricata.observe(
        json.dumps({"timestamp": NOON.isoformat(), "event_type": "stats"}).encode()
    ).ocsf,
}


@pytest.mark.clause("8.2.b")
@pytest.mark.parametrize("name", EVENTS)
def test_an_event_of_every_source_is_as_ocsf_publishes_it(name: str) -> None:
    assert EVENTS[name]["metadata"]["version"] == ocsf.VERSION
    assert faults(EVENTS[name]) == []


@pytest.mark.clause("8.2.b")
@pytest.mark.parametrize("act", Act)
def test_an_entry_of_every_act_is_as_ocsf_publishes_it(act: Act) -> None:
    assert faults(entry(act)) == []
    assert faults(entry(act, actor=Actor(kind="visitor"), subject=None, outcome=Outcome.REFUSED)) == []


def test_the_events_of_every_rule_are_too() -> None:
    made = [
        one.ocsf
        for lists in CASES.values()
        for parts in (*lists["must"], *lists["must_not"])
        for one in sequence([part | {"times": 1} for part in parts])
    ]
    assert len(made) > 80
    assert {fault for event in made for fault in faults(event)} == set()


def test_every_class_we_name_is_made_and_is_ocsf_s() -> None:
    made = {one["class_uid"] for one in EVENTS.values()} | {entry(act)["class_uid"] for act in Act}
    assert made == {uid for uid, _, _ in CLASSES}
    for uid, category, name in CLASSES:
        found = get_ocsf_schema(version=ocsf.VERSION)["classes"][PUBLISHED.lookup_class_name_from_uid(class_uid=uid)]
        assert (found["caption"], found.get("category_uid", 0)) == (name, category)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"severity_id": 7},
        {"time": "noon"},
        {"invented": 1},
        {"metadata": {"version": "1.3.0"}},
        {"activity_id": 42},
        {"dst_endpoint": {"nonsense": 1}},
    ],
)
def test_the_oracle_sees_what_is_wrong(spoilt: dict[str, Any]) -> None:
    assert faults(EVENTS["web"] | spoilt) != []


def test_the_clock_counts_milliseconds() -> None:
    made = web.observe(REQUEST | {"at": "2026-11-20T12:00:00.250+00:00"}, b"{}")
    assert made.ocsf["time"] == int(dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC).timestamp()) * 1000 + 250
