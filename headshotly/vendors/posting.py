"""Mails to many people, each handed over once: claimed, handed over, tried again, resumed after any crash.

A mail is marked before it is handed over and again after. It carries the row's id, and the mailer keeps one mail an id:
what a crash left marked in between is handed over again and still arrives once.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID, uuid5

from django.db import models, transaction
from django.db.models import Q, QuerySet

from headshotly.policy import clock
from headshotly.policy.refusal import Refusal

BATCH = 200
ATTEMPTS_MAX = 6
FIRST_PAUSE = dt.timedelta(minutes=15)  # doubled each time: about eight hours in all
CLAIMED_FOR = dt.timedelta(minutes=10)


class PostState(models.TextChoices):
    """Where one mail stands."""

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Being handed over"
    SENT = "sent", "Handed over"
    GONE = "gone", "The person left before"
    FAILED = "failed", "Given up after several tries"


WAITING = (PostState.QUEUED, PostState.SENDING)


class Posted(models.Model):
    """The columns of one mail to one person; a room adds what it is about and whom, and may choose its own pauses."""

    FIRST_PAUSE: ClassVar[dt.timedelta] = FIRST_PAUSE
    ATTEMPTS_MAX: ClassVar[int] = ATTEMPTS_MAX
    CLAIMED_FOR: ClassVar[dt.timedelta] = CLAIMED_FOR

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=12, choices=PostState.choices, default=PostState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    bounces = models.PositiveSmallIntegerField(default=0)
    bounced_at = models.DateTimeField(null=True)
    bounce = models.CharField(max_length=8, default="")

    class Meta:
        abstract = True


# Hands one mail over under an id; returns False where its person left. Raises ``Refusal`` where it could not.
type HandOver = Callable[[Any, UUID], bool]
# Told when a mail is given up, in the transaction that says so.
type GivenUp = Callable[[Any, str], None]


def can_skip() -> bool:
    """Say whether the database leaves rows that another machine just took; SQLite has one writer at a time instead."""
    return bool(transaction.get_connection().features.has_select_for_update_skip_locked)


def own_rows() -> tuple[str, ...]:
    """Return which of several joined tables' rows to lock: the first one's, where the database can tell."""
    return ("self",) if can_skip() else ()


def due(now: dt.datetime) -> Q:
    """Return what says that a mail is to be handed over: it waits, or a crash left it marked."""
    return Q(state__in=WAITING, next_at__lte=now)


def claim[Row: Posted](rows: "QuerySet[Row]", size: int, *, first: str = "next_at") -> list[Row]:
    """Mark the next mails as being handed over; one that stays so too long was left by a crash and is due again.

    Args:
        rows: which mails may be taken.
        size: how many at most.
        first: which come first, by what column.
    """
    now = clock.now()
    with transaction.atomic():
        ids = list(
            rows.select_for_update(skip_locked=can_skip(), of=own_rows())
            .filter(due(now))
            .order_by(first)
            .values_list("id", flat=True)[:size]
        )
        rows.filter(id__in=ids).update(state=PostState.SENDING, next_at=now + rows.model.CLAIMED_FOR)
    return list(rows.filter(id__in=ids))


def send_due[Row: Posted](rows: "QuerySet[Row]", *, hand_over: HandOver, given_up: GivenUp, most: int = 2000) -> int:
    """Hand over the mails that are due, and those that a crash left in between.

    Args:
        rows: which mails.
        hand_over: hands one over; gets the row and the id the mail must carry.
        given_up: told when one is given up.
        most: how many at most in this run.

    Returns:
        How many were handed over.
    """
    sent = 0
    while sent < most:
        batch = claim(rows, min(BATCH, most - sent))
        if not batch:
            break
        for row in batch:
            sent += _one(row, hand_over, given_up)
    return sent


def _one(row: Posted, hand_over: HandOver, given_up: GivenUp) -> int:
    """Hand one mail over and mark it; a crash between the two leaves it claimed, to be handed over again."""
    try:
        if not hand_over(row, mail_id(row)):
            _rows(row).update(state=PostState.GONE)
            return 0
    except Refusal as refusal:
        again(row, refusal.code, given_up)
        return 0
    arrived(row)
    return 1


def _rows[Row: Posted](row: Row) -> "QuerySet[Row]":
    return type(row)._default_manager.filter(id=row.id)


def arrived(row: Posted) -> None:
    """Mark one as handed over."""
    _rows(row).update(state=PostState.SENT, sent_at=clock.now(), attempts=row.attempts + 1)


def put_back(row: Posted, until: dt.datetime) -> None:
    """Let one wait, where it was not its recipient who would not take it: that is none of its tries."""
    _rows(row).update(state=PostState.QUEUED, next_at=until)


def give_up(row: Posted, why: str, given_up: GivenUp) -> None:
    """Give one up at once, where trying again would help nobody."""
    again(row, why, given_up, last=True)


def mail_id(row: Posted) -> UUID:
    """Return the id of the mail: the same after a crash, another after a bounce, for that one did arrive nowhere."""
    return uuid5(row.id, str(row.bounces)) if row.bounces else row.id


def again(row: Posted, why: str, given_up: GivenUp, *, last: bool = False) -> None:
    """Try a mail again later, each time after twice as long; after several tries, or the last, give up and say so."""
    attempts = row.attempts + 1
    over = last or attempts >= row.ATTEMPTS_MAX
    with transaction.atomic():
        _rows(row).update(
            state=PostState.FAILED if over else PostState.QUEUED,
            attempts=attempts,
            next_at=clock.now() + row.FIRST_PAUSE * 2 ** (attempts - 1),
        )
        if over:
            given_up(row, why)


def record_bounce[Row: Posted](rows: "QuerySet[Row]", *, row_id: UUID, permanent: bool, given_up: GivenUp) -> None:
    """Record that a mail came back: a passing reason is tried again, a lasting one (RFC 3463, class 5) is given up.

    Args:
        rows: which mails it may be.
        row_id: the row the mail was about.
        permanent: the address does not take mail at all.
        given_up: told when it is given up.
    """
    row = rows.filter(id=row_id, state=PostState.SENT).first()
    if row is None:
        return
    rows.filter(id=row_id).update(
        bounced_at=clock.now(), bounce="hard" if permanent else "soft", bounces=row.bounces + 1
    )
    if permanent:
        row.attempts = row.ATTEMPTS_MAX
    again(row, "bounced", given_up)


def progress(rows: "QuerySet[Any]") -> dict[str, int]:
    """Return how many mails are in which state."""
    found = list(rows.values_list("state", flat=True))
    return {state.value: found.count(state) for state in PostState}
