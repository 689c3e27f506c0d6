"""A team's seats: one link each, taken once, and withdrawn as long as nothing was begun with them.

Who bought them sees of each whether it is taken and whether anything was begun; not by whom, and nothing of what is
made.
"""

import hashlib
import secrets
from collections.abc import Container, Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.integrations import webhooks
from headshotly.orders import spending
from headshotly.orders.errors import OrderNotFound, SeatTaken
from headshotly.orders.models import Credit, Order, OrderState, Seat
from headshotly.policy import clock
from headshotly.policy.enforcement import enforces


class SeatState(StrEnum):
    """How a seat is, as far as its buyer may know."""

    FREE = "free"
    INVITED = "invited"
    TAKEN = "taken"
    BEGUN = "begun"


@dataclass(frozen=True, slots=True)
class Shown:
    """A seat as its buyer sees it.

    Attributes:
        seat: the row; its ``subject`` is not shown.
        state: how it is.
    """

    seat: Seat
    state: SeatState


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def make(order: Order) -> None:
    """Make the seats of a paid order; their links are drawn when the buyer asks for them."""
    Seat.objects.bulk_create(
        Seat(order=order, token_sha256=_hash(secrets.token_urlsafe(32))) for _number in range(order.seats)
    )


def new_link(*, subject: UUID, order_id: UUID, seat_id: UUID) -> str:
    """Return a new token for a free seat of one's own order; the older one no longer works.

    Raises:
        OrderNotFound: there is no such seat.
        SeatTaken: somebody has it.
    """
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        seat = Seat.objects.select_for_update().filter(id=seat_id, order_id=order_id, order__subject=subject).first()
        if seat is None:
            raise OrderNotFound(_("There is no such seat."))
        if seat.taken_at is not None:
            raise SeatTaken(_("Somebody has this seat already."))
        seat.token_sha256, seat.invited_at = _hash(token), clock.now()
        seat.save(update_fields=["token_sha256", "invited_at"])
    return token


@enforces("5.1.a")
def shown(rows: Iterable[Seat]) -> list[Shown]:
    """Return seats as their buyer may see them."""
    found = list(rows)
    touched = Credit.objects.filter(order__in={one.order_id for one in found}, used__gt=0)
    begun = set(touched.values_list("order_id", "subject"))
    return [Shown(one, _state(one, begun)) for one in found]


def _state(seat: Seat, begun: Container[tuple[UUID, UUID]]) -> SeatState:
    if seat.taken_at is None:
        return SeatState.FREE if seat.invited_at is None else SeatState.INVITED
    # Who took it and left has left nothing that would say; it counts as begun, for it is not given to anybody else.
    if seat.subject is None or (seat.order_id, seat.subject) in begun:
        return SeatState.BEGUN
    return SeatState.TAKEN


def _paid_by(subject: UUID) -> QuerySet[Seat]:
    return Seat.objects.filter(order__subject=subject, order__state=OrderState.PAID)


def of_buyer(subject: UUID) -> list[Shown]:
    """Return the seats of the team orders that somebody paid for, orders newest first; not who has which."""
    return shown(_paid_by(subject).order_by("-order__created_at", "id"))


def one_of_buyer(subject: UUID, seat_id: UUID) -> Shown:
    """Return one of those seats.

    Raises:
        OrderNotFound: there is no such seat.
    """
    found = shown(_paid_by(subject).filter(id=seat_id))
    if not found:
        raise OrderNotFound(_("There is no such seat."))
    return found[0]


@enforces("5.1.a")
def withdraw(*, actor: Actor, subject: UUID, seat_id: UUID) -> None:
    """Take a seat back for somebody else: its link no longer works, and who took it has its headshots no more.

    Only as long as nothing was begun with it: what somebody made is theirs, and is not taken from them. The order is
    locked first, as where a shoot claims its headshots, so that of the two one comes first and the other sees it.

    Args:
        actor: the buyer, or a program of theirs.
        subject: the buyer.
        seat_id: which; one that is free stays so.

    Raises:
        OrderNotFound: there is no such seat of theirs, or its order is not paid any more.
        SeatTaken: headshots were begun with it.
    """
    with transaction.atomic():
        mine = _paid_by(subject).filter(id=seat_id).values("order_id")
        order = Order.objects.select_for_update().filter(id__in=mine, state=OrderState.PAID).first()
        seat = Seat.objects.select_for_update().filter(id=seat_id, order=order).first() if order else None
        if order is None or seat is None:
            raise OrderNotFound(_("There is no such seat."))
        if seat.taken_at is None and seat.invited_at is None:
            return
        if seat.taken_at is not None:
            _take_away(order, seat)
        audit.record(actor=actor, act=Act.SEAT_WITHDRAWN, subject=subject, purpose="orders", object_ids=[order.id])
        seat.token_sha256 = _hash(secrets.token_urlsafe(32))
        seat.subject = seat.taken_at = seat.invited_at = None
        seat.save(update_fields=["token_sha256", "subject", "taken_at", "invited_at"])


def _take_away(order: Order, seat: Seat) -> None:
    """Leave nothing to use of a taken seat's credit; the row stays, for what came to nothing names it."""
    whose = Credit.objects.select_for_update().filter(order=order, granted__gt=0)
    credit = None if seat.subject is None else whose.filter(subject=seat.subject).first()
    if credit is None or credit.used:
        raise SeatTaken(_("Headshots were begun with this seat, so it stays with whoever took it."))
    credit.granted = 0
    credit.save(update_fields=["granted"])


def new_link_for(*, subject: UUID, seat_id: UUID) -> str:
    """Return a new token for a free seat, whichever of one's orders it belongs to. Raises as ``new_link``."""
    found = Seat.objects.filter(id=seat_id, order__subject=subject).first()
    if found is None:
        raise OrderNotFound(_("There is no such seat."))
    return new_link(subject=subject, order_id=found.order_id, seat_id=seat_id)


def _order_of_link(token: str) -> QuerySet[Seat, UUID]:
    return Seat.objects.filter(token_sha256=_hash(token)).values_list("order_id", flat=True)


def take(*, actor: Actor, subject: UUID, token: str) -> None:
    """Take the seat a link stands for.

    Raises:
        OrderNotFound: there is no such link.
        SeatTaken: it was used, or its order is no longer paid.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(id__in=_order_of_link(token)).first()
        seat = Seat.objects.select_for_update().filter(token_sha256=_hash(token)).first()
        if order is None or seat is None:
            raise OrderNotFound(_("This link is not one of ours, or a newer one was made."))
        if seat.taken_at is not None or order.state != OrderState.PAID:
            raise SeatTaken(_("This seat is taken, or its order was refunded."))
        if Seat.objects.filter(order=order, subject=subject).exists():
            raise SeatTaken(_("You have a seat of this order already."))
        seat.subject, seat.taken_at = subject, clock.now()
        seat.save(update_fields=["subject", "taken_at"])
        spending.grant(order, subject)
        audit.record(actor=actor, act=Act.SEAT_TAKEN, subject=subject, purpose="orders", object_ids=[order.id])
        if order.subject is not None:  # whoever bought it may have left
            webhooks.announce(subject=order.subject, event=webhooks.SEAT_TAKEN, about=seat.id, at=seat.taken_at)
