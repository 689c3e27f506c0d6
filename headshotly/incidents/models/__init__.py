"""The room's tables, one file for each subject."""

from headshotly.incidents.models.alert import Alert, AlertKind, Level
from headshotly.incidents.models.stream import CorrelationHit, CorrelationState, Event, Offset, Source

__all__ = ["Alert", "AlertKind", "CorrelationHit", "CorrelationState", "Event", "Level", "Offset", "Source"]
