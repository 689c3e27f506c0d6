"""Reading alerts and events."""

from collections.abc import Sequence
from uuid import UUID

from headshotly.incidents.models import Alert, Event


def open_alerts(*, limit: int = 200) -> list[Alert]:
    """Return the alerts nobody has closed, newest first."""
    return list(Alert.objects.filter(closed_at__isnull=True).order_by("-raised_at")[:limit])


def alert(alert_id: UUID) -> Alert | None:
    """Return one alert, or None."""
    return Alert.objects.filter(id=alert_id).first()


def events_of(found: Alert) -> list[Event]:
    """Return the stored events of an alert that are still kept, oldest first."""
    return events_with_ids(found.events)


def events_with_ids(ids: Sequence[int]) -> list[Event]:
    """Return the events with these ids that are still kept, oldest first."""
    return list(Event.objects.filter(id__in=list(ids)).order_by("occurred_at", "id"))
