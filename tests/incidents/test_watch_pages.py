"""The pages of the security officer: alerts, events with their chart, rules and blocks."""

import datetime as dt

import pytest
from django.test import Client

from headshotly.access.middleware import STAFF_COOKIE
from headshotly.access.models import Role, StaffMember, StaffSession
from headshotly.access.services import _sha256 as digest
from headshotly.audit.actor import SYSTEM
from headshotly.incidents import blocks, planting, querying
from headshotly.incidents.ingesting import keep
from headshotly.incidents.models import Alert, Block, Event
from headshotly.incidents.reading import SpoolReader
from headshotly.incidents.sources import heartbeat
from headshotly.incidents.stream import Stream
from headshotly.policy import clock
from tests.incidents.conftest import seen

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "journal", "keys"])


@pytest.fixture
def member():
    def make(role: Role) -> Client:
        row = StaffMember.objects.create(handle=f"m-{role}", role=role, created_at=clock.now(), enrolled_at=clock.now())
        now = clock.now()
        StaffSession.objects.create(
            token_sha256=digest("t-" + role), member=row, started_at=now, seen_at=now, proved_at=now,
            expires_at=now + dt.timedelta(hours=1),
        )  # fmt: skip
        client = Client()
        client.cookies[STAFF_COOKIE] = "t-" + role
        return client

    return make


@pytest.mark.clause("8.2.a")
def test_a_planted_event_is_on_screen_and_can_be_closed(member, detector) -> None:
    planting.plant()
    Stream([SpoolReader("heartbeat", heartbeat.observe)], detector).step()
    alert = Alert.objects.get()
    officer = member(Role.SECURITY)
    assert b"A planted event was noticed" in officer.get("/staff/watch/list/", secure=True).content
    assert b"HeadShotlyAI" in officer.get("/staff/watch/", secure=True).content
    page = officer.get(f"/staff/watch/alerts/{alert.id}/", secure=True).content
    assert b"heartbeat" in page
    officer.post(f"/staff/watch/alerts/{alert.id}/close/", {"verdict": " "}, secure=True)
    assert Alert.objects.get().closed_at is None
    officer.post(f"/staff/watch/alerts/{alert.id}/close/", {"verdict": "A test."}, secure=True)
    assert Alert.objects.get().verdict == "A test."
    assert b"No alert is open" in officer.get("/staff/watch/list/", secure=True).content


@pytest.mark.parametrize("path", ["", "events/", "rules/", "blocks/", "list/"])
def test_only_roles_that_watch_see_the_pages(member, path: str) -> None:
    assert member(Role.SECURITY).get(f"/staff/watch/{path}", secure=True).status_code == 200
    assert member(Role.SUPPORT).get(f"/staff/watch/{path}", secure=True).status_code == 403
    assert Client().get(f"/staff/watch/{path}", secure=True).status_code == 302


def test_an_auditor_reads_and_changes_nothing(member, detector) -> None:
    planting.plant()
    Stream([SpoolReader("heartbeat", heartbeat.observe)], detector).step()
    auditor, alert = member(Role.AUDITOR), Alert.objects.get()
    assert b"Close it" not in auditor.get(f"/staff/watch/alerts/{alert.id}/", secure=True).content
    answer = auditor.post(f"/staff/watch/alerts/{alert.id}/close/", {"verdict": "x"}, secure=True)
    assert answer.status_code == 403


def recent(number: int, minutes: float, **fields):
    row = seen(number, **fields)
    object.__setattr__(row, "occurred_at", clock.now() - dt.timedelta(minutes=minutes))
    return row


def test_events_are_found_by_what_is_asked_and_counted_by_time(member) -> None:
    keep([recent(n, n, actor=f"staff:{n % 2}", n=n) for n in range(130)])
    keep([recent(1, 60 * 30, actor="staff:old", n=-1)])
    everything = querying.ask({"span": "day"})
    assert (everything.total, len(everything.events)) == (130, 100)
    assert sum(bar.count for bar in everything.bars) == 130
    assert len(querying.ask({"span": "day", "before": str(everything.before)}).events) == 30
    assert querying.ask({"span": "hour"}).total == 60
    assert querying.ask({"span": "week", "text": "staff:old"}).total == 1
    assert querying.ask({"span": "day", "text": "staff:1"}).total == 65
    assert querying.ask({"span": "day", "outcome": "failure"}).total == 0
    officer = member(Role.SECURITY)
    page = officer.get("/staff/watch/events/?span=day", secure=True).content.decode()
    assert page.count("<rect") > 3
    assert "Earlier ones" in page
    event = Event.objects.first()
    assert b"As it came" in officer.get(f"/staff/watch/events/{event.id}/", secure=True).content
    assert officer.get("/staff/watch/events/999999/", secure=True).status_code == 404
    for nonsense in ("?span=x&severity=-1&before=z&outcome=q", "?text=%00", "?text=" + "a" * 5000):
        assert officer.get(f"/staff/watch/events/{nonsense}", secure=True).status_code == 200


def test_a_block_is_lifted_by_a_button(member) -> None:
    blocks.begin(actor=SYSTEM, address="ip-0a", reason="One address attacks again and again")
    officer = member(Role.SECURITY)
    assert b"ip-0a" in officer.get("/staff/watch/blocks/", secure=True).content
    officer.post(f"/staff/watch/blocks/{Block.objects.get().id}/lift/", secure=True)
    assert blocks.in_force() == []
