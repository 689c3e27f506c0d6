"""The room's tables, one file for each subject."""

from headshotly.incidents.models.alert import Alert, AlertKind, Level
from headshotly.incidents.models.breach import (
    AffectedPerson,
    Breach,
    Cause,
    Decision,
    Ground,
    Judgement,
    Keys,
    Letter,
    Notice,
    NoticePhase,
)
from headshotly.incidents.models.case import (
    Call,
    CallState,
    Case,
    CaseAlert,
    Containment,
    Evidence,
    HolderLetter,
    Shift,
    TimelineEntry,
    TimelineKind,
)
from headshotly.incidents.models.contact import Contact
from headshotly.incidents.models.exercise import Exercise, ExerciseAnswer
from headshotly.incidents.models.stream import Block, CorrelationHit, Episode, Event, Offset, Source

__all__ = [
    "AffectedPerson",
    "Alert",
    "AlertKind",
    "Block",
    "Breach",
    "Call",
    "CallState",
    "Case",
    "CaseAlert",
    "Cause",
    "Contact",
    "Containment",
    "CorrelationHit",
    "Decision",
    "Episode",
    "Event",
    "Evidence",
    "Exercise",
    "ExerciseAnswer",
    "Ground",
    "HolderLetter",
    "Judgement",
    "Keys",
    "Letter",
    "Level",
    "Notice",
    "NoticePhase",
    "Offset",
    "Shift",
    "Source",
    "TimelineEntry",
    "TimelineKind",
]
