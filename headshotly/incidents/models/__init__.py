"""The room's tables, one file for each subject."""

from headshotly.incidents.models.alert import Alert, AlertKind, Level
from headshotly.incidents.models.stream import Block, CorrelationHit, Episode, Event, Offset, Source

__all__ = ["Alert", "AlertKind", "Block", "CorrelationHit", "Episode", "Event", "Level", "Offset", "Source"]
