"""Photos of the customer: upload, list, look, delete."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop as noop
from ninja import Router, Status
from ninja.files import UploadedFile
from ninja.params.functions import File, Query

from headshotly.frontdoor.api import answers, paging, problems, schemas
from headshotly.frontdoor.api.once import once, work_id
from headshotly.frontdoor.api.service import CustomerToken, actor, bearer, warrant
from headshotly.policy.wording import told
from headshotly.studio import models, selectors, services
from headshotly.vault import services as vault

router = Router(tags=["photos"])


def _shown(photo: models.Photo) -> schemas.Photo:
    return schemas.Photo(
        id=photo.id,
        received_at=photo.received_at,
        verdict=told(photo.sentence),
        advice=told(photo.advice),
        score=round(photo.score, 2),
    )


@router.get("/photos", response=schemas.Photos, auth=CustomerToken("photos.read"), summary=noop("List photos"))
@answers.etag
def list_photos(
    request: HttpRequest,
    limit: int = Query(paging.LIMIT, ge=1, le=paging.LIMIT_MAX),
    cursor: str | None = Query(None, max_length=200),
) -> schemas.Photos:
    """Return the customer's photos, newest first."""
    rows = selectors.photos_of(bearer(request).subject)
    found, following = paging.page(rows, by="received_at", limit=limit, cursor=cursor)
    return schemas.Photos(items=[_shown(one) for one in found], next=following)


@router.post(
    "/photos", response={201: schemas.Photo}, auth=CustomerToken("photos.write"), summary=noop("Upload a photo")
)
@once(together=False)
def upload_photo(
    request: HttpRequest,
    response: HttpResponse,
    file: UploadedFile = File(...),  # noqa: B008 - ninja's way
) -> Status[Any] | HttpResponse:
    """Judge a photo and keep it sealed where it will do; a refused one is not kept, and the problem says why.

    JPEG, PNG, WebP or HEIC, one face.
    """
    subject, photo_id = bearer(request).subject, work_id(request)
    kept = selectors.photo_of(subject, photo_id)  # by the same request, which a crash left without its answer
    if kept is not None:
        return _kept(kept, response)
    received = services.receive_photo(actor=actor(request), subject=subject, data=file.read(), photo_id=photo_id)
    if received.photo is None:
        verdict = received.verdict
        errors = [{"where": ["file"], "what": told(each.sentence)} for each in verdict.findings]
        sentence = f"{told(verdict.sentence)} {told(verdict.advice)}".strip()
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return problems.problem(status, f"photo.{verdict.findings[0].code}", sentence, errors=errors)
    return _kept(received.photo, response)


def _kept(photo: models.Photo, response: HttpResponse) -> Status[Any]:
    response["Location"] = f"{problems.PREFIX}photos/{photo.id}"
    return Status(201, _shown(photo))


@router.get(
    "/photos/{uuid:photo_id}", response=schemas.Photo, auth=CustomerToken("photos.read"), summary=noop("One photo")
)
@answers.etag
def get_photo(request: HttpRequest, photo_id: UUID) -> schemas.Photo:
    """Return what we said about a photo."""
    return _shown(services.photo_of(bearer(request).subject, photo_id))


@router.get(
    "/photos/{uuid:photo_id}/preview", auth=CustomerToken("photos.read"), summary=noop("A small version of a photo")
)
def get_photo_preview(request: HttpRequest, photo_id: UUID) -> HttpResponse:
    """Return a JPEG of at most a few hundred pixels."""
    found = services.photo_of(bearer(request).subject, photo_id)
    return answers.picture(
        request,
        tag=found.preview_id.hex,
        name=f"photo-{found.id.hex[:6]}.jpg",
        opened=lambda: vault.open(object_id=found.preview_id, warrant=warrant(request, "view-by-program")),
    )


@router.delete(
    "/photos/{uuid:photo_id}", response={204: None}, auth=CustomerToken("photos.write"), summary=noop("Delete a photo")
)
def delete_photo(request: HttpRequest, photo_id: UUID) -> Status[Any]:
    """Delete a photo for good; headshots made of it stay."""
    services.delete_photo(actor=actor(request), subject=bearer(request).subject, photo_id=photo_id)
    return Status(204, None)
