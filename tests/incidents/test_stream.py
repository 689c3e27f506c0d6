"""The whole way, and every way it is cut short: nothing is lost, nothing counts twice."""

import datetime as dt
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client

from headshotly.access import services as access
from headshotly.access.models import StaffMember
from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM, VISITOR, Actor
from headshotly.audit.acts import Act, Outcome
from headshotly.audit.sequencing import sequence_once
from headshotly.incidents import expectations, overseeing, planting, retention, setting_up, spool, stream
from headshotly.incidents.detecting import Detector
from headshotly.incidents.models import Alert, Event, Offset, Source
from headshotly.incidents.reading import FolderReader, JournalReader, SpoolReader, TailReader
from headshotly.incidents.sources import heartbeat, web
from headshotly.incidents.stream import Stream
from headshotly.policy import clock
from tests.incidents.conftest import NOON

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])


def guess(subject, times: int) -> None:
    for _ in range(times):
        audit.record(actor=VISITOR, act=Act.SIGN_IN_FAILED, subject=subject, outcome=Outcome.REFUSED)
    sequence_once()


def settle(one: Stream) -> int:
    total = 0
    while taken := one.step():
        total += taken
    return total


@pytest.mark.clause("8.2.b")
def test_the_journal_becomes_events_and_guessing_an_alert(detector) -> None:
    subject = uuid4()
    guess(subject, 12)
    assert settle(Stream([JournalReader()], detector)) == 12
    event = Event.objects.order_by("id").first()
    assert event.source == "authentication"
    assert event.ocsf["metadata"]["version"] == "1.3.0"
    assert (event.ocsf["class_uid"], event.ocsf["type_uid"]) == (3002, 300201)
    assert json.loads(bytes(event.raw))["act"] == "accounts.sign-in.failed"
    alert = Alert.objects.get(title="Somebody guesses the password of one account")
    assert alert.hits == 12
    assert alert.subject == subject
    assert alert.author == "HeadShotlyAI"
    assert len(alert.events) == 12


@pytest.mark.clause("5.3.b", "8.2.a")
def test_entering_after_guessing_is_critical_also_across_a_restart(own_book) -> None:
    subject = uuid4()
    guess(subject, 9)
    settle(Stream([JournalReader()], Detector(own_book)))
    guess(subject, 1)
    settle(Stream([JournalReader()], Detector(own_book)))  # another process, with nothing in its memory
    assert Alert.objects.filter(title="Somebody guesses the password of one account").count() == 1
    audit.record(actor=Actor(kind="customer", id=subject), act=Act.SIGN_IN_SUCCEEDED, subject=subject)
    sequence_once()
    settle(Stream([JournalReader()], Detector(own_book)))
    assert Alert.objects.get(level="critical").title == "An account was entered after many wrong passwords"


def test_a_step_that_fails_before_its_commit_is_done_again(detector, monkeypatch) -> None:
    guess(uuid4(), 10)
    one = Stream([JournalReader()], detector)

    def breaks(_batch) -> None:
        raise OSError("the machine went down")

    with monkeypatch.context() as broken:
        broken.setattr(stream, "_write_offsets", breaks)
        with pytest.raises(OSError):
            one.step()
    assert Event.objects.count() == Alert.objects.count() == 0
    settle(one)
    assert Event.objects.count() == 10
    assert Alert.objects.get(rule__isnull=False).hits == 10


def test_a_second_delivery_changes_nothing(detector) -> None:
    guess(uuid4(), 10)
    one = Stream([JournalReader()], detector)
    settle(one)
    Offset.objects.filter(reader="journal").delete()  # committed, but the source was never told
    assert settle(one) == 10
    assert Event.objects.count() == 10
    assert Alert.objects.get().hits == 10


@pytest.mark.clause("5.3.b")
def test_only_the_installation_s_own_first_member_is_expected(detector) -> None:
    assert access.ensure_first_staff() is not None
    one = Stream([JournalReader()], detector)
    access.create_staff(actor=SYSTEM, handle="mallory", role="operations")
    told = "A member of staff was created"
    for emptied in (False, True):  # whoever empties the table of staff and starts again is told of as well
        if emptied:
            StaffMember.objects.all().delete()
            assert access.ensure_first_staff() is not None
        sequence_once()
        settle(one)
        assert [alert.hits for alert in Alert.objects.filter(title=told)] == [1 + emptied]


def test_another_detector_s_work_is_not_forgotten(own_book) -> None:
    subject = uuid4()
    first = Stream([JournalReader()], Detector(own_book))
    second = Stream([JournalReader()], Detector(own_book))
    for turn in range(10):
        guess(subject, 1)
        settle((first, second)[turn % 2])
    assert Alert.objects.get().hits == 10


@pytest.mark.clause("8.2.a")
def test_a_planted_event_raises_its_alert(detector) -> None:
    mark = planting.plant()
    assert planting.wait_for(mark, at_most=0.1) is None
    Stream([SpoolReader("heartbeat", heartbeat.observe)], detector).step()
    assert planting.wait_for(mark, at_most=1) is not None
    assert planting.alert_of("0" * 16) is None


@pytest.mark.clause("8.2.b")
def test_every_answered_request_is_an_event_without_address_or_secret(detector, settings) -> None:
    client = Client(headers={"User-Agent": "curl/8"}, REMOTE_ADDR="198.51.100.7")
    client.get("/account/reset/very-secret-token/?next=ada@example.org&x=<script>", secure=True)
    client.get("/no-such-page/", secure=True)
    settle(Stream([SpoolReader("web", web.observe)], detector))
    events = list(Event.objects.filter(source="web").order_by("id"))
    text = " ".join(bytes(one.raw).decode() for one in events)
    assert len(events) == 2
    assert "ada@example.org" not in text
    assert "198.51.100" not in text
    assert events[0].address.startswith("ip-")
    assert events[0].address == events[1].address
    assert events[1].ocsf["http_response"] == {"code": 404}
    assert "<script>" in text


def test_a_writer_that_died_leaves_its_lines_and_its_torn_one_is_counted(detector) -> None:
    place = spool.folder("heartbeat")
    script = (
        "import fcntl, os, sys\n"
        "d = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)\n"
        "fcntl.flock(d, fcntl.LOCK_EX)\n"
        'os.write(d, b\'{"id": "1", "at": "2026-11-27T12:00:00+00:00"}\\n{"id": "2", "at": "20\')\n'
        "os.kill(os.getpid(), 9)\n"
    )
    place.mkdir(parents=True)
    subprocess.run([sys.executable, "-c", script, str(place / "a.ndjson")], timeout=20)
    settle(Stream([SpoolReader("heartbeat", heartbeat.observe)], detector))
    assert Event.objects.count() == 1
    assert Source.objects.get(name="heartbeat").refused == 1
    assert list(place.iterdir()) == []
    assert not Offset.objects.filter(reader__startswith="spool:").exists()


def test_a_segment_being_written_is_read_on_and_not_removed(detector) -> None:
    one = Stream([SpoolReader("heartbeat", heartbeat.observe)], detector)
    planting.beat()
    settle(one)
    planting.beat()
    settle(one)
    assert Event.objects.count() == 2
    assert len(spool.segments("heartbeat")) == 1
    spool.writer("heartbeat").close()
    settle(one)
    assert spool.segments("heartbeat") == []
    planting.beat()
    settle(one)
    assert Event.objects.count() == 3


def test_a_full_disk_loses_nothing_until_memory_is_full_and_then_says_so(detector, monkeypatch) -> None:
    monkeypatch.setattr(spool, "WAITING_MAX", 5)
    real = os.write

    def full(_descriptor, _data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool.os, "write", full)
    assert [spool.writer("heartbeat").append({"id": str(n), "at": NOON.isoformat()}) for n in range(8)] == [False] * 8
    monkeypatch.setattr(spool.os, "write", real)
    assert spool.writer("heartbeat").append({"id": "8", "at": NOON.isoformat()})
    settle(Stream([SpoolReader("heartbeat", heartbeat.observe)], detector))
    assert Event.objects.count() == 6
    alert = Alert.objects.get(rule="stream-lost")
    assert (alert.level, alert.hits) == ("critical", 3)


def test_a_forked_writer_writes_into_a_file_of_its_own() -> None:
    planting.beat()
    child = os.fork()
    if child == 0:
        planting.beat()
        os._exit(0)
    os.waitpid(child, 0)
    planting.beat()
    found = sorted(len(path.read_bytes().splitlines()) for path in spool.segments("heartbeat"))
    assert found == [1, 2]


@pytest.mark.clause("8.2.b")
def test_a_source_that_falls_silent_is_told_of_once_a_silence(monkeypatch) -> None:
    now = clock.now()
    assert expectations.silent(now=now) == []
    Source.objects.filter(name="heartbeat").update(last_seen_at=now - dt.timedelta(minutes=6))
    assert [expectations.alarm_silent() for _ in range(3)] == [1, 1, 1]
    assert Alert.objects.get().title == "A source of events fell silent"
    Source.objects.filter(name="heartbeat").update(last_seen_at=now - dt.timedelta(minutes=5, seconds=30))
    expectations.alarm_silent()
    assert Alert.objects.count() == 2


@pytest.mark.clause("8.2.a")
def test_an_idle_detector_is_told_of(detector) -> None:
    assert not overseeing.alarm_idle()
    Stream([], detector).step()
    assert not overseeing.alarm_idle()
    Offset.objects.filter(reader="detector").update(moved_at=clock.now() - dt.timedelta(minutes=3))
    assert overseeing.alarm_idle()
    assert overseeing.alarm_idle()
    assert Alert.objects.get().rule == "detector-idle"


def record(number: int, **more) -> dict:
    return {
        "eventID": f"{number:08d}",
        "eventName": "StopLogging",
        "eventSource": "cloudtrail.amazonaws.com",
        "eventTime": "2026-11-27T12:00:00Z",
        "sourceIPAddress": "198.51.100.7",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/eve"},
        **more,
    }


def test_delivered_files_are_read_once_and_broken_ones_counted(detector, tmp_path) -> None:
    content = json.dumps({"Records": [record(n) for n in range(1200)] + [{"eventName": "x"}]}).encode()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.json.gz").write_bytes(gzip.compress(content))
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(content)[:-40])
    (tmp_path / "c.json").write_bytes(b"[]")
    (tmp_path / ".d.json.partial").write_bytes(b"{")
    one = Stream([FolderReader("cloudtrail", tmp_path)], detector)
    settle(one)
    assert Event.objects.count() == 1200
    assert Source.objects.get(name="cloudtrail").refused == 3
    assert settle(one) == 0
    shutil.rmtree(tmp_path / "deep")
    assert settle(one) == 0


def test_a_growing_log_is_followed_through_its_rotation(detector, tmp_path) -> None:
    path = tmp_path / "eve.json"

    def line(number: int) -> str:
        return json.dumps({"timestamp": "2026-11-27T12:00:00.000001+0000", "event_type": "stats", "n": number}) + "\n"

    path.write_text(line(1) + line(2)[:10])
    one = Stream([TailReader(path)], detector)
    settle(one)
    with path.open("a") as file:
        file.write(line(2)[10:] + "no event\n")
    path.rename(tmp_path / "eve.json.1")
    path.write_text(line(3))
    settle(one)
    assert Event.objects.count() == 3
    assert Source.objects.get(name="suricata").refused == 1


def test_a_source_that_breaks_stops_no_other(detector) -> None:
    class Broken:
        name = "broken"

        def read(self):
            raise ValueError("nonsense")

    planting.beat()
    Stream([Broken(), SpoolReader("heartbeat", heartbeat.observe)], detector).step()
    assert Event.objects.count() == 1


@pytest.mark.clause("1.1.d")
def test_events_go_when_their_time_is_over(detector) -> None:
    planting.beat()
    guess(uuid4(), 1)
    settle(setting_up.stream())
    assert Event.objects.count() == 2
    assert retention.forget_events() == 0
    Event.objects.filter(source="heartbeat").update(keep_until=clock.now())
    assert retention.forget_events() == 1


def test_a_rule_folder_that_is_missing_is_said(settings) -> None:
    from headshotly.incidents import rulebook
    from headshotly.incidents.errors import RuleRefused

    with pytest.raises(RuleRefused, match="missing"):
        rulebook.load([Path("/nowhere/at/all")])


def test_what_no_database_keeps_stops_nothing(detector) -> None:
    """Half characters, zero bytes and numbers that are none, as a stranger's JSON may hold them."""
    from headshotly.incidents import spool as spools
    from headshotly.incidents.sources import collected

    event = json.loads(
        '{"time": "2026-11-20T12:00:00Z", "actor": "\\ud800x", "fields": {"a\\u0000": "\\udfff", "b": "\\u0000", '
        '"c": NaN, "d": [-Infinity]}}'
    )
    spools.writer("collector").append({"account": "a", "id": "1", "event": event})
    Stream([SpoolReader("collector", collected.observe)], detector).step()
    kept = Event.objects.get()
    assert kept.actor == "?x"
    assert kept.ocsf["unmapped"] == {"a\ufffd": "?", "b": "\ufffd", "c": None, "d": [None]}
