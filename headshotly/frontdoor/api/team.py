"""Teams: the seats that a customer bought for others. Their pictures are theirs alone."""

from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_noop as noop
from ninja import Router

from headshotly.frontdoor.api import answers, schemas
from headshotly.frontdoor.api.once import once
from headshotly.frontdoor.api.service import CustomerToken, bearer
from headshotly.orders import seats
from headshotly.policy import configuration

router = Router(tags=["team"])


@router.get("/team/seats", response=schemas.Seats, auth=CustomerToken("team.read"), summary=noop("List seats"))
@answers.etag
def list_seats(request: HttpRequest) -> schemas.Seats:
    """Return every seat of every team order that the customer paid for, and whether it is taken."""
    return schemas.Seats(
        items=[
            schemas.Seat(id=one.id, order_id=one.order_id, taken=one.taken_at is not None, taken_at=one.taken_at)
            for one in seats.of_buyer(bearer(request).subject)
        ]
    )


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
