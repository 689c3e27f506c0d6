"""Results: the headshots that were made."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop as noop
from ninja import Router, Status
from ninja.params.functions import Query

from headshotly.audit.acts import Act
from headshotly.frontdoor.api import answers, paging, schemas
from headshotly.frontdoor.api.service import CustomerToken, actor, bearer, warrant
from headshotly.policy.wording import told
from headshotly.studio import entitlement, models, selectors, services
from headshotly.vault import services as vault

router = Router(tags=["results"])


def _shown(made: models.Headshot) -> schemas.Result:
    return schemas.Result(
        id=made.id,
        job_id=made.shoot_id,
        photo_id=made.photo_id,
        style=made.style_id,
        notes=[told(note) for note in made.notes],
        made_at=made.made_at,
    )


@router.get("/results", response=schemas.Results, auth=CustomerToken("results.read"), summary=noop("List headshots"))
@answers.etag
def list_results(
    request: HttpRequest,
    job_id: UUID | None = Query(None, description="Of one job only"),  # noqa: B008 - ninja's way
    limit: int = Query(paging.LIMIT, ge=1, le=paging.LIMIT_MAX),
    cursor: str | None = Query(None, max_length=200),
) -> schemas.Results:
    """Return the customer's headshots, newest first."""
    subject = bearer(request).subject
    if job_id is None:
        rows = selectors.all_headshots_of(subject)
    else:
        rows = selectors.headshots_of(services.shoot_of(subject, job_id))
    found, following = paging.page(rows, by="made_at", limit=limit, cursor=cursor)
    return schemas.Results(items=[_shown(one) for one in found], next=following)


@router.get(
    "/results/{uuid:result_id}",
    response=schemas.Result,
    auth=CustomerToken("results.read"),
    summary=noop("One headshot"),
)
@answers.etag
def get_result(request: HttpRequest, result_id: UUID) -> schemas.Result:
    """Return what is known of a headshot."""
    return _shown(services.headshot_of(bearer(request).subject, result_id))


@router.get("/results/{uuid:result_id}/file", auth=CustomerToken("results.read"), summary=noop("Download a headshot"))
def download_result(request: HttpRequest, result_id: UUID) -> HttpResponse:
    """Return the headshot in full size as JPEG, with its content credentials."""
    found = services.headshot_of(bearer(request).subject, result_id)

    def opened() -> bytes:
        under = warrant(request, "download-by-program")
        entitlement.deliver(found.shoot_id, {entitlement.piece(found.photo_id, found.style_id)})
        return vault.open(object_id=found.object_id, warrant=under, also=[Act.HEADSHOT_DOWNLOADED])

    name = f"headshot-{found.style_id}-{found.id.hex[:6]}.jpg"
    return answers.picture(request, tag=found.object_id.hex, name=name, opened=opened)


@router.delete(
    "/results/{uuid:result_id}",
    response={204: None},
    auth=CustomerToken("results.write"),
    summary=noop("Delete a headshot"),
)
def delete_result(request: HttpRequest, result_id: UUID) -> Status[Any]:
    """Delete a headshot for good."""
    services.delete_headshot(actor=actor(request), subject=bearer(request).subject, headshot_id=result_id)
    return Status(204, None)
