"""What the API takes and gives, as the OpenAPI document names it."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field

from headshotly.studio.styles import STYLES

StyleName = Annotated[str, Field(description="Id of a style", json_schema_extra={"enum": list(STYLES)})]


class Taken(Schema):
    """A body that is taken: a member nobody knows is a mistake worth hearing of."""

    model_config = ConfigDict(extra="forbid")


class Problem(Schema):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="Address of what this code means")
    title: str
    status: int
    detail: str = Field(description="Plain words that may be shown to a person")
    code: str = Field(description="Short and stable, such as `photo.no_face`")
    errors: list[dict[str, object]] | None = Field(None, description="Where a request's parts are wrong")


class Account(Schema):
    """Whom the token acts for, and what it may do."""

    id: UUID
    scopes: list[str]
    token_expires_at: dt.datetime
    headshots_left: int = Field(description="How many more can be made with what was bought")
    deletion_due_at: dt.datetime | None = Field(description="When everything is deleted, where that is planned")


class Style(Schema):
    """One way a headshot can look."""

    id: str
    title: str
    description: str


class Photo(Schema):
    """A photo that will do."""

    id: UUID
    received_at: dt.datetime
    verdict: str = Field(description="What we say about it")
    advice: str
    score: float = Field(ge=0, le=1)


class Photos(Schema):
    """One page of photos, newest first."""

    items: list[Photo]
    next: str | None = Field(description="Cursor of the next page")


class NewJob(Taken):
    """Every photo in every style."""

    photo_ids: list[UUID] = Field(min_length=1, max_length=40)
    styles: list[StyleName] = Field(min_length=1, max_length=40)
    brand_colour: str = Field("", pattern=r"^(#?[0-9a-fA-F]{6})?$", description="Of the style `brand`, such as #2c62ac")


class Job(Schema):
    """Headshots being made, or made."""

    id: UUID
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    photo_ids: list[UUID]
    styles: list[str]
    percent: int = Field(ge=0, le=100)
    sentence: str = Field(description="What is happening, or what went wrong, in plain words")
    created_at: dt.datetime
    finished_at: dt.datetime | None


class Jobs(Schema):
    """One page of jobs, newest first."""

    items: list[Job]
    next: str | None


class Result(Schema):
    """A headshot."""

    id: UUID
    job_id: UUID
    photo_id: UUID
    style: str
    notes: list[str]
    made_at: dt.datetime


class Results(Schema):
    """One page of headshots, newest first."""

    items: list[Result]
    next: str | None


class Export(Schema):
    """A copy of everything (GDPR 15 and 20)."""

    id: UUID
    state: Literal["waiting", "building", "ready", "failed", "expired"]
    percent: int = Field(ge=0, le=100)
    asked_at: dt.datetime
    expires_at: dt.datetime | None


class Exports(Schema):
    """The newest copies."""

    items: list[Export]


def _a_number(value: object) -> object:
    """Pass a whole number on; ``false`` equals 0 in Python, which would delete everything at once.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is not int:
        raise ValueError("Please give a whole number.")
    return value


class NewDeletion(Taken):
    """The wish to have everything deleted."""

    confirm: Literal["delete everything"]
    days: Annotated[Literal[0, 7, 14, 30], BeforeValidator(_a_number)] = Field(
        7, description="Time to think; 0 deletes at once and for good"
    )


class Deletion(Schema):
    """What comes of it."""

    due_at: dt.datetime | None = Field(description="When it is done; None where it is done already")
    receipt_url: str | None = Field(description="Where the signed receipt is kept, where it is done already")


class Seat(Schema):
    """One place in a team's order. Whoever bought it sees nobody's pictures, and not who has which seat."""

    id: UUID
    order_id: UUID
    state: Literal["free", "invited", "taken", "begun"] = Field(
        description="invited: a link is out that works; begun: headshots were begun with it, so it is not taken back"
    )
    invited_at: dt.datetime | None = Field(description="When the newest link was made, where it was not withdrawn")
    taken: bool
    taken_at: dt.datetime | None


class Seats(Schema):
    """Every seat of every team order."""

    items: list[Seat]


class SeatLink(Schema):
    """A new link; the older one no longer works."""

    url: str


type EventName = Literal["job.done", "job.failed", "export.ready", "seat.taken"]


class NewWebhook(Taken):
    """An endpoint to be told at."""

    url: str = Field(max_length=500, description="Public https address")
    events: list[EventName] = Field(min_length=1, max_length=4)


type EndpointState = Literal["working", "refusing", "paused_silent", "paused_gone"]


class Webhook(Schema):
    """An endpoint. A paused one is sent nothing until it is resumed; its messages wait."""

    id: UUID
    state: EndpointState = Field(
        description="refusing: it refused one message for most of a day and takes others; paused_silent: it took none "
        "for most of a day; paused_gone: it answered 410"
    )
    state_since: dt.datetime | None = Field(description="When it stopped working well")
    taken_at: dt.datetime | None = Field(description="When it last took a message")
    url: str
    events: list[str]
    registered_at: dt.datetime


class NewlyRegistered(Webhook):
    """An endpoint with its secret, which is shown only now."""

    secret: str


class Webhooks(Schema):
    """Every endpoint."""

    items: list[Webhook]


class Delivery(Schema):
    """One message to an endpoint."""

    id: UUID
    event: str
    about: UUID
    happened_at: dt.datetime
    state: Literal["queued", "sending", "sent", "gone", "failed"]
    attempts: int
    answered: int | None = Field(description="HTTP status of the last answer")
    next_at: dt.datetime | None = Field(description="When it is tried next")


class Deliveries(Schema):
    """The newest messages, newest first."""

    items: list[Delivery]
