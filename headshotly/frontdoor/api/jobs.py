"""Jobs: headshots being made, each photo in each style."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop as noop
from ninja import Router, Status
from ninja.params.functions import Query

from headshotly.frontdoor.api import answers, paging, problems, schemas
from headshotly.frontdoor.api.once import once
from headshotly.frontdoor.api.service import CustomerToken, actor, bearer
from headshotly.studio import models, selectors, services
from headshotly.studio.styles import STYLES

router = Router(tags=["jobs"])


def _shown(shoot: models.Shoot) -> schemas.Job:
    progress = selectors.progress(shoot)
    return schemas.Job(
        id=shoot.id,
        state=progress["status"],
        photo_ids=[UUID(one) for one in shoot.photo_ids],
        styles=shoot.style_ids,
        percent=100 if shoot.state == models.ShootState.DONE else min(100, progress["percent"]),
        sentence=progress["sentence"],
        created_at=shoot.created_at,
        finished_at=shoot.finished_at,
    )


@router.get("/styles", response=list[schemas.Style], auth=CustomerToken(), summary=noop("List styles"))
@answers.etag
def list_styles(request: HttpRequest) -> list[schemas.Style]:  # noqa: ARG001 - ninja's signature
    """Return every style a job may ask for."""
    return [schemas.Style(id=one.id, title=one.title, description=one.description) for one in STYLES.values()]


@router.get("/jobs", response=schemas.Jobs, auth=CustomerToken("jobs.read"), summary=noop("List jobs"))
@answers.etag
def list_jobs(
    request: HttpRequest,
    limit: int = Query(paging.LIMIT, ge=1, le=paging.LIMIT_MAX),
    cursor: str | None = Query(None, max_length=200),
) -> schemas.Jobs:
    """Return the customer's jobs, newest first."""
    rows = selectors.shoots_of(bearer(request).subject)
    found, following = paging.page(rows, by="created_at", limit=limit, cursor=cursor)
    return schemas.Jobs(items=[_shown(one) for one in found], next=following)


@router.post("/jobs", response={202: schemas.Job}, auth=CustomerToken("jobs.write"), summary=noop("Start a job"))
@once(together=True)
def start_job(request: HttpRequest, response: HttpResponse, new: schemas.NewJob) -> Status[Any]:
    """Queue the making of headshots: every photo in every style, each of which uses up one that was bought."""
    shoot = services.start_shoot(
        actor=actor(request),
        subject=bearer(request).subject,
        photo_ids=new.photo_ids,
        style_ids=new.styles,
        brand_colour=new.brand_colour,
    )
    response["Location"] = f"{problems.PREFIX}jobs/{shoot.id}"
    return Status(202, _shown(shoot))


@router.get("/jobs/{uuid:job_id}", response=schemas.Job, auth=CustomerToken("jobs.read"), summary=noop("One job"))
@answers.etag
def get_job(request: HttpRequest, job_id: UUID) -> schemas.Job:
    """Return how far a job is."""
    return _shown(services.shoot_of(bearer(request).subject, job_id))


@router.post(
    "/jobs/{uuid:job_id}/cancel", response=schemas.Job, auth=CustomerToken("jobs.write"), summary=noop("Stop a job")
)
@once(together=True)
def cancel_job(request: HttpRequest, job_id: UUID) -> schemas.Job:
    """Stop a job; what is finished stays, and what was not made is not used up."""
    services.cancel(actor=actor(request), subject=bearer(request).subject, shoot_id=job_id)
    return _shown(services.shoot_of(bearer(request).subject, job_id))
