"""What every notice is made of: the facts of a breach, in both languages, gathered once."""

import datetime as dt
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from headshotly.incidents.assessment import Risk
from headshotly.policy.operator import Operator

# What people write for the notices; each in both languages.
PARTS: dict[str, str] = {
    "nature": "What happened",
    "found": "How it was found",
    "taken": "What has been done",
    "proposed": "What will be done",
    "safeguards": "Which safeguards were in place before",
    "advice": "What people can do, beyond the standard advice",
}
REQUIRED_PARTS = ("nature", "found", "taken", "proposed", "safeguards")
type Words = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A notice that went before this one.

    Attributes:
        number: which.
        sent_at: when, aware UTC.
        receipt: the authority's reference for it.
    """

    number: int
    sent_at: dt.datetime
    receipt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """The breach as the notices tell it; times are aware UTC.

    Attributes:
        reference: of the case.
        operator: who writes.
        officer: name of the Data Protection Officer, or what the post is called.
        aware_at: when the controller became aware.
        began_at: when it began, as far as known.
        ended_at: when it ended, as far as known.
        cause: of ``Cause``, as a code.
        confidentiality: how far confidential data got, as a code of ``Spread``.
        integrity: a code of ``Harm``.
        availability: a code of ``Harm``.
        kinds: ids of ``data_kinds.KINDS``.
        people: about how many.
        records: about how many.
        consequences: codes of ``consequences.CONSEQUENCES``.
        words: what people wrote, by part and language.
        keys: ``safe``, ``touched`` or ``unknown``.
        keys_because: how that is known.
        risk: as judged; None while nobody has.
        people_told_at: when the people were told.
        people_told: how many were.
        people_why_not: the decided reason where they were not.
        states: of the Union whose people are concerned, beside Poland.
        late_because: reasons for the delay.
        late: the lawful moment is over.
        earlier: notices that went before.
        delayed: law enforcement asked to wait.
        zone: the operator's time zone.
        today: the date of the notice there.
    """

    reference: str
    operator: Operator
    officer: str
    aware_at: dt.datetime
    began_at: dt.datetime | None
    ended_at: dt.datetime | None
    cause: str
    confidentiality: str
    integrity: str
    availability: str
    kinds: frozenset[str]
    people: int
    records: int
    consequences: tuple[str, ...]
    words: Words
    keys: str
    keys_because: str
    risk: Risk | None
    people_told_at: dt.datetime | None = None
    people_told: int = 0
    people_why_not: str = ""
    states: tuple[str, ...] = ()
    late_because: str = ""
    late: bool = False
    earlier: tuple[Earlier, ...] = field(default=())
    delayed: bool = False
    zone: ZoneInfo
    today: dt.date

    def local(self, moment: dt.datetime | None) -> str:
        """Return a moment as people here write it, with the zone."""
        return "" if moment is None else f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M %Z}"

    def part(self, name: str, language: str) -> str:
        """Return what somebody wrote for a part, empty where nobody did."""
        return self.words.get(name, {}).get(language, "").strip()
