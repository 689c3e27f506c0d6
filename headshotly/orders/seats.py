"""A team's seats: one link each, taken once; who bought them sees no picture of anybody else."""

import hashlib
import secrets
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.orders import spending
from headshotly.orders.errors import OrderNotFound, SeatTaken
from headshotly.orders.models import Order, OrderState, Seat
from headshotly.policy import clock


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
        seat.token_sha256 = _hash(token)
        seat.save(update_fields=["token_sha256"])
    return token


def of_buyer(subject: UUID) -> list[Seat]:
    """Return the seats of the team orders that somebody paid for, orders newest first; not who has which."""
    paid = Seat.objects.filter(order__subject=subject, order__state=OrderState.PAID)
    return list(paid.order_by("-order__created_at", "id"))


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
