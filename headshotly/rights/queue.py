"""What waits for the DPO, what is about to run out, and the figures of a year (11 CCR 7102)."""

import datetime as dt
import statistics
from dataclasses import dataclass

from headshotly.audit import services as audit
from headshotly.audit.actor import SYSTEM
from headshotly.audit.acts import Act
from headshotly.policy import configuration, dates
from headshotly.policy.enforcement import enforces
from headshotly.rights.models import RecipientNotice, RightsRequest
from headshotly.rights.services import last_day
from headshotly.rights.states import LIVE, Kind, State
from headshotly.vendors import mail

REMIND_DAYS = 7


@dataclass(frozen=True, slots=True)
class Waiting:
    """One request in the queue.

    Attributes:
        request: the row.
        last_day: by when it must be answered.
        left: days left; negative when it is overdue.
    """

    request: RightsRequest
    last_day: dt.date
    left: int

    @property
    def urgent(self) -> bool:
        """Say whether its time is about to run out, or has."""
        return self.left <= REMIND_DAYS


def waiting() -> list[Waiting]:
    """Return every request that is not over, the most urgent first."""
    today = dates.today()
    found = [
        Waiting(request, last_day(request), (last_day(request) - today).days)
        for request in RightsRequest.objects.filter(state__in=LIVE)
    ]
    return sorted(found, key=lambda one: (one.last_day, one.request.received_at))


@enforces("1.1.c", "1.2.c")
def overdue() -> list[Waiting]:
    """Return the requests whose clock has run out; clause 1.2.c holds only while there are none."""
    return [one for one in waiting() if one.left < 0]


def answered_late(*, since: dt.datetime) -> list[str]:
    """Return the references of the requests received since a moment that ended after their last day."""
    ended = RightsRequest.objects.filter(received_at__gte=since, closed_at__isnull=False)
    return [one.reference for one in ended if one.closed_at and dates.day_of(one.closed_at) > last_day(one)]


def untold() -> list[RecipientNotice]:
    """Return the recipients who still must be told of a correction, deletion or restriction."""
    return list(RecipientNotice.objects.select_related("request").filter(told_at__isnull=True).order_by("recipient"))


@enforces("1.1.c")
def remind() -> int:
    """Mail the DPO once a day about what runs out within a week or has; return how many requests were named.

    Raises:
        MailNotSent: nothing is marked as reminded, and the next run tries again.
    """
    today = dates.today()
    urgent = [one for one in waiting() if one.urgent and one.request.reminded_on != today]
    if not urgent:
        return 0
    lines = [
        f"{one.request.reference}  {one.request.kind:<9} by {one.last_day}  "
        + (f"{one.left} days left" if one.left >= 0 else f"OVERDUE by {-one.left} days")
        for one in urgent
    ]
    here = configuration.current()
    mail.send(
        to=here.operator.privacy_email,
        subject=f"{len(urgent)} requests run out soon",
        text="\n".join(lines) + f"\n\n{here.public_url}/staff/rights/",
        about=None,
    )
    # A crash before this line sends the same mail again, which is the safe direction.
    RightsRequest.objects.filter(id__in=[one.request.id for one in urgent]).update(reminded_on=today)
    audit.record(actor=SYSTEM, act=Act.REQUEST_REMINDED, purpose=", ".join(one.request.reference for one in urgent))
    return len(urgent)


@dataclass(frozen=True, slots=True)
class Figures:
    """One kind of request over a time.

    Attributes:
        kind: which right.
        received: how many came.
        answered: granted, wholly or in part.
        refused: refused.
        withdrawn: taken back.
        open: not over yet.
        median_days: from receipt to the end; None where none ended.
        late: ended or still open after their last day.
    """

    kind: str
    received: int
    answered: int
    refused: int
    withdrawn: int
    open: int
    median_days: float | None
    late: int


def figures(*, since: dt.datetime) -> list[Figures]:
    """Return the figures of every kind of request received since a moment."""
    today = dates.today()
    found = []
    for kind in Kind:
        rows = list(RightsRequest.objects.filter(kind=kind, received_at__gte=since))
        states = [State(row.state) for row in rows]
        days = [(row.closed_at - row.received_at).total_seconds() / 86400 for row in rows if row.closed_at]
        late = sum((dates.day_of(row.closed_at) if row.closed_at else today) > last_day(row) for row in rows)
        found.append(
            Figures(
                kind=kind.label,
                received=len(rows),
                answered=states.count(State.ANSWERED),
                refused=states.count(State.REFUSED),
                withdrawn=states.count(State.WITHDRAWN),
                open=sum(state in LIVE for state in states),
                median_days=round(statistics.median(days), 1) if days else None,
                late=late,
            )
        )
    return found
