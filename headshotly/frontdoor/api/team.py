"""Teams: the seats that a customer bought for others. Their pictures are theirs alone."""

from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_noop as noop
from ninja import Router

from headshotly.frontdoor.api import answers, schemas
from headshotly.frontdoor.api.once import once
from headshotly.frontdoor.api.service import CustomerToken, actor, bearer
from headshotly.orders import seats
from headshotly.policy import configuration

router = Router(tags=["team"])


def _shown(one: seats.Shown) -> schemas.Seat:
    return schemas.Seat(
        id=one.seat.id,
        order_id=one.seat.order_id,
        state=one.state.value,
        invited_at=one.seat.invited_at,
        taken=one.seat.taken_at is not None,
        taken_at=one.seat.taken_at,
    )


@router.get("/team/seats", response=schemas.Seats, auth=CustomerToken("team.read"), summary=noop("List seats"))
@answers.etag
def list_seats(request: HttpRequest) -> schemas.Seats:
    """Return every seat of every team order that the customer paid for, and how it is."""
    return schemas.Seats(items=[_shown(one) for one in seats.of_buyer(bearer(request).subject)])


@router.get(
    "/team/seats/{uuid:seat_id}", response=schemas.Seat, auth=CustomerToken("team.read"), summary=noop("One seat")
)
@answers.etag
def get_seat(request: HttpRequest, seat_id: UUID) -> schemas.Seat:
    """Return how a seat is."""
    return _shown(seats.one_of_buyer(bearer(request).subject, seat_id))


@router.post(
    "/team/seats/{uuid:seat_id}/link",
    response=schemas.SeatLink,
    auth=CustomerToken("team.write"),
    summary=noop("Make a link"),
)
@once(together=True)
def make_seat_link(request: HttpRequest, seat_id: UUID) -> schemas.SeatLink:
    """Return a new link for a free seat, to send to a colleague; an older one no longer works."""
    token = seats.new_link_for(subject=bearer(request).subject, seat_id=seat_id)
    return schemas.SeatLink(url=f"{configuration.current().public_url}{reverse('orders:seat', args=[token])}")


@router.post(
    "/team/seats/{uuid:seat_id}/withdraw",
    response=schemas.Seat,
    auth=CustomerToken("team.write"),
    summary=noop("Take a seat back"),
)
@once(together=True)
def withdraw_seat(request: HttpRequest, seat_id: UUID) -> schemas.Seat:
    """Make a seat free again: its link no longer works, and whoever took it has its headshots no more.

    Only until headshots were begun with it; harmless where it is free.
    """
    subject = bearer(request).subject
    seats.withdraw(actor=actor(request), subject=subject, seat_id=seat_id)
    return _shown(seats.one_of_buyer(subject, seat_id))
