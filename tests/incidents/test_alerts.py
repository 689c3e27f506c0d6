"""An episode is told once, however often its events come."""

import datetime as dt
from uuid import uuid4

import pytest

from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.audit.leaf import decode
from headshotly.audit.models import PendingEntry
from headshotly.incidents import alerts, selectors
from headshotly.incidents.alerts import Finding
from headshotly.incidents.errors import NotFound
from headshotly.incidents.models import Alert, AlertKind, Level

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
OFFICER = Actor(kind="staff", id=uuid4(), role="security-officer")


def finding(**changes) -> Finding:
    values = {
        "kind": AlertKind.RULE,
        "level": Level.HIGH,
        "rule": "3f0a",
        "title": "Many failed sign-ins",
        "sentence": "One address failed ten times.",
        "group": {"address": "ip-1"},
        "began": "1",
        "events": [1],
        "first_event_at": NOON,
        "last_event_at": NOON,
    }
    return Finding(**(values | changes))


@pytest.mark.clause("8.2.a")
def test_the_same_episode_is_one_alert_told_once() -> None:
    told = []
    alerts.when_raised(told.append)
    try:
        first = alerts.raise_alert(finding())
        again = alerts.raise_alert(finding(events=[2], hits=2, last_event_at=NOON + dt.timedelta(minutes=1)))
        other = alerts.raise_alert(finding(began="2"))
    finally:
        alerts._HOOKS.remove(told.append)
    assert again.id == first.id
    assert Alert.objects.get(id=first.id).events == [1, 2]
    assert Alert.objects.get(id=first.id).hits == 2
    assert [one.id for one in told] == [first.id, other.id]
    told_journal = [decode(bytes(row.leaf)).act for row in PendingEntry.objects.all()]
    assert told_journal.count(Act.ALERT_RAISED) == 2


def test_an_alert_whose_follow_up_fails_was_never_raised() -> None:
    def fails(_alert: Alert) -> None:
        raise OSError("the pager is down")

    alerts.when_raised(fails)
    try:
        with pytest.raises(OSError):
            alerts.raise_alert(finding())
    finally:
        alerts._HOOKS.remove(fails)
    assert Alert.objects.count() == 0
    assert PendingEntry.objects.count() == 0


def test_closing_is_done_once_and_by_name() -> None:
    alert = alerts.raise_alert(finding())
    assert [one.id for one in selectors.open_alerts()] == [alert.id]
    alerts.close(actor=OFFICER, alert_id=alert.id, verdict="A test of ours.")
    closed = alerts.close(actor=OFFICER, alert_id=alert.id, verdict="Something else.")
    assert closed.verdict == "A test of ours."
    assert selectors.open_alerts() == []
    with pytest.raises(NotFound):
        alerts.close(actor=OFFICER, alert_id=uuid4(), verdict="none")
