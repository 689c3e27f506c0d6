"""What each source's own format becomes, and what is refused of it."""

import gzip
import json

import boto3
import pytest
from moto import mock_aws

from headshotly.incidents import ocsf
from headshotly.incidents.errors import EventRefused
from headshotly.incidents.flattening import FIELDS_MAX, flatten
from headshotly.incidents.models import Alert, Event
from headshotly.incidents.reading import QueueReader
from headshotly.incidents.sources import amazon, application, collected, suricata, syslog, web
from headshotly.incidents.stream import Stream
from tests.incidents.conftest import NOON
from tests.incidents.test_stream import record, settle

LOGIN = {
    "eventVersion": "1.08",
    "userIdentity": {"type": "Root", "arn": "arn:aws:iam::111122223333:root"},
    "eventTime": "2026-11-20T12:00:00Z",
    "eventSource": "signin.amazonaws.com",
    "eventName": "ConsoleLogin",
    "awsRegion": "eu-north-1",
    "sourceIPAddress": "203.0.113.9",
    "requestParameters": None,
    "responseElements": {"ConsoleLogin": "Failure"},
    "eventID": "b7d9",
}


def test_a_console_login_is_an_authentication() -> None:
    made = amazon.cloudtrail(LOGIN)
    assert (made.ocsf["class_uid"], made.ocsf["type_uid"], made.outcome) == (3002, 300201, "failure")
    assert made.fields["responseElements"] == '{"ConsoleLogin":"Failure"}'
    assert made.fields["responseElements.ConsoleLogin"] == "Failure"
    assert made.address == "203.0.113.9"


@pytest.mark.parametrize("broken", [None, [], "x", {}, LOGIN | {"eventTime": "noon"}, LOGIN | {"eventTime": "2026-11-20T12:00:00"}, {**LOGIN, "x": {str(n): n for n in range(FIELDS_MAX + 1)}}])  # fmt: skip
def test_what_is_no_cloudtrail_record_is_refused(broken) -> None:
    with pytest.raises(EventRefused):
        amazon.cloudtrail(broken)


def test_flow_records_follow_their_header() -> None:
    text = b"version srcaddr dstaddr dstport start action log-status\n2 198.51.100.1 10.0.0.2 22 1784000000 REJECT OK\n"
    made = amazon.flow(next(amazon.flow_lines(text)))
    assert (made.act, made.outcome, made.fields["dstport"]) == ("REJECT 22", "failure", 22)
    assert made.ocsf["class_uid"] == 4001
    with pytest.raises(EventRefused):
        amazon.flow({"line": "x"})


def test_a_finding_comes_by_event_bridge_or_by_bucket() -> None:
    finding = {"Id": "f1", "Type": "Recon:EC2/Portscan", "Severity": 5, "UpdatedAt": "2026-11-20T12:00:00Z"}
    direct, sent = amazon.guardduty(finding), amazon.guardduty({"detail": finding})
    assert direct.identity == sent.identity
    assert direct.ocsf["severity_id"] == 3


# As AWS writes it into a file, a record a line (Developer Guide, “Contents of a firewall log”).
DROPPED = {
    "firewall_name": "headshotly-1",
    "availability_zone": "eu-central-1a",
    "event_timestamp": "1784000000",
    "event": {
        "timestamp": "2026-11-20T12:00:00.006481+0000", "flow_id": 1582438383425873, "event_type": "alert",
        "src_ip": "10.20.4.9", "src_port": 55555, "dest_ip": "203.0.113.4", "dest_port": 443, "proto": "TCP",
        "alert": {"action": "blocked", "signature_id": 4, "rev": 1, "signature": "", "category": "", "severity": 3},
        "app_proto": "tls", "tls": {"sni": "tracker.example"},
    },
}  # fmt: skip


def test_a_record_of_the_firewall_is_suricatas_with_the_firewalls_name() -> None:
    made = amazon.firewall(DROPPED)
    assert (made.source, made.outcome, made.address) == ("network-firewall", "failure", "10.20.4.9")
    assert (made.ocsf["class_uid"], made.ocsf["metadata"]["product"]["vendor_name"]) == (2004, "AWS")
    assert (made.fields["firewall_name"], made.fields["tls.sni"]) == ("headshotly-1", "tracker.example")
    again = amazon.firewall(json.loads(json.dumps(DROPPED)))
    assert made.identity == again.identity
    assert made.identity != amazon.firewall(DROPPED | {"firewall_name": "headshotly-2"}).identity
    plain = suricata.observe(json.dumps(DROPPED["event"]).encode())
    assert plain.log_source == made.log_source, "rules for Suricata look at it too"


@pytest.mark.parametrize("broken", [None, [], {}, {"event": []}, DROPPED | {"event": {}}, {**DROPPED, "event": {"timestamp": "noon", "event_type": "alert"}}])  # fmt: skip
def test_what_is_no_record_of_the_firewall_is_refused(broken) -> None:
    with pytest.raises(EventRefused):
        amazon.firewall(broken)


@pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])
def test_what_the_firewall_dropped_becomes_an_alert_by_the_queue(detector, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with mock_aws():
        s3, sqs = (boto3.client(name, region_name="eu-north-1") for name in ("s3", "sqs"))
        s3.create_bucket(Bucket="records", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        lines = b"\n".join([json.dumps(DROPPED).encode(), b"{torn", b""])
        key = "firewall/AWSLogs/1/network-firewall/alert/eu-north-1/headshotly-1/2026/11/20/12/1_a.log.gz"
        s3.put_object(Bucket="records", Key=key, Body=gzip.compress(lines))
        queue = sqs.create_queue(QueueName="q")["QueueUrl"]
        notice = {"Records": [{"s3": {"bucket": {"name": "records"}, "object": {"key": key}}}]}
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(notice))
        settle(Stream([QueueReader("network-firewall", queue, sqs=sqs, s3=s3)], detector))
    assert Event.objects.get().source == "network-firewall"
    alert = Alert.objects.exclude(rule="stream-refused").get()
    assert (alert.title, alert.level) == ("The firewall dropped what wanted to leave", "high")
    assert Alert.objects.filter(rule="stream-refused").count() == 1


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"event_type": "alert"}', b'{"timestamp": "2026-11-20T12:00:00", "event_type": "x"}'])  # fmt: skip
def test_what_is_no_eve_line_is_refused(line: bytes) -> None:
    with pytest.raises(EventRefused):
        suricata.observe(line)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"hello",
        b"<192>1 - - - - - -",
        b"<38>2 - - - - - -",
        b"<38>1 yesterday host app - - -",
        b"<38>1 2026-11-20T12:00:00 host app - - -",
        b'<38>1 - host app - - [x y="z]',
        b"<38>1 - host app - - no-data",
    ],
)
def test_what_is_no_syslog_message_is_refused(message: bytes) -> None:
    with pytest.raises(EventRefused):
        syslog.observe(message, uid="1", received_at=NOON)


def test_a_message_may_leave_out_what_it_likes() -> None:
    made = syslog.observe(b"<0>1 - - - - - -", uid="1", received_at=NOON)
    assert (made.occurred_at, made.ocsf["severity_id"]) == (NOON, 6)


@pytest.mark.parametrize("observe", [web.observe, application.observe, collected.observe])
@pytest.mark.parametrize("line", [{}, {"id": 1, "at": "x"}, {"account": "a", "id": "1", "event": []}])
def test_a_line_that_lacks_something_is_refused(observe, line) -> None:
    with pytest.raises(EventRefused):
        observe(line, b"{}")


def test_depth_and_number_of_fields_are_bounded() -> None:
    deep: dict = {}
    for _ in range(40):
        deep = {"x": deep}
    for document in (deep, {"a": {"b": list(range(5000))}}, {"a": [{str(n): n} for n in range(5000)]}):
        with pytest.raises(ValueError, match="event"):
            flatten(document)


def test_lists_become_tuples_under_one_name() -> None:
    found = flatten({"a": [{"b": 1}, {"b": 2, "c": None}], "d": [1, "x"], "e": {"f": True}})
    assert found == {"a.b": (1, 2), "a.c": (None,), "d": (1, "x"), "e.f": True}


def test_every_event_says_the_pinned_version_of_ocsf() -> None:
    made = ocsf.event(ocsf.API, activity=2, at=NOON, source="s", uid="1", outcome="failure", api={"operation": "x"})
    assert made["metadata"]["version"] == "1.3.0"
    assert (made["type_uid"], made["category_uid"], made["status_id"]) == (600302, 6, 2)
    assert made["time"] == int(NOON.timestamp() * 1000)


@pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])
def test_a_queue_s_messages_go_only_after_the_commit(detector, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with mock_aws():
        s3, sqs = (boto3.client(name, region_name="eu-north-1") for name in ("s3", "sqs"))
        s3.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        body = gzip.compress(json.dumps({"Records": [record(n) for n in range(700)]}).encode())
        s3.put_object(Bucket="trail", Key="a.json.gz", Body=body)
        queue = sqs.create_queue(QueueName="q")["QueueUrl"]
        notice = {"Records": [{"s3": {"bucket": {"name": "trail"}, "object": {"key": "a.json.gz"}}}]}
        for text in (notice, {"Message": json.dumps(notice)}, {"Event": "s3:TestEvent"}, "nonsense"):
            sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(text))
        one = Stream([QueueReader("cloudtrail", queue, sqs=sqs, s3=s3)], detector)
        with monkeypatch.context() as broken:
            broken.setattr(Stream, "_commit", lambda *_: (_ for _ in ()).throw(OSError("down")))
            with pytest.raises(OSError):
                one.step()
        sqs.purge_queue(QueueUrl=queue)  # moto keeps what was received invisible; send it again
        for text in (notice, {"Message": json.dumps(notice)}, {"Event": "s3:TestEvent"}, "nonsense"):
            sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(text))
        settle(one)
        assert Event.objects.count() == 700
        assert Alert.objects.filter(rule="stream-refused").count() == 1
        left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        assert int(left["ApproximateNumberOfMessagesNotVisible"]) == 1, "only the one nobody can read is left"
