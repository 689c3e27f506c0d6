"""The account itself: what a token may do, a copy of everything, and the end of everything."""

from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext_noop as noop
from ninja import Router, Status

from headshotly.frontdoor.api import answers, problems, schemas
from headshotly.frontdoor.api.once import once
from headshotly.frontdoor.api.service import CustomerToken, actor, bearer, warrant
from headshotly.orders import selectors as orders
from headshotly.policy import configuration
from headshotly.rights import erasure, exports, models

router = Router(tags=["account"])


@router.get("/account", response=schemas.Account, auth=CustomerToken(), summary=noop("What this token may do"))
@answers.etag
def get_account(request: HttpRequest) -> schemas.Account:
    """Return whom the token acts for, its scopes, and how many headshots are left."""
    asking = bearer(request)
    planned = erasure.planned(asking.subject)
    return schemas.Account(
        id=asking.subject,
        scopes=sorted(asking.scopes),
        token_expires_at=asking.expires_at,
        headshots_left=orders.left(asking.subject),
        deletion_due_at=planned.due_at if planned else None,
    )


def _shown(export: models.Export) -> schemas.Export:
    ready = export.state == models.ExportState.READY
    return schemas.Export(
        id=export.id,
        state=cast("Any", export.state),
        percent=100 if ready else min(99, 100 * export.steps_done // max(1, export.steps_total)),
        asked_at=export.asked_at,
        expires_at=export.expires_at,
    )


@router.get("/exports", response=schemas.Exports, auth=CustomerToken("export"), summary=noop("List copies"))
@answers.etag
def list_exports(request: HttpRequest) -> schemas.Exports:
    """Return the newest copies of everything that were asked for."""
    return schemas.Exports(items=[_shown(one) for one in exports.of(bearer(request).subject)])


@router.post("/exports", response={202: schemas.Export}, auth=CustomerToken("export"), summary=noop("Ask for a copy"))
@once(together=True)
def ask_export(request: HttpRequest, response: HttpResponse) -> Status[Any]:
    """Ask for a copy of everything (GDPR 15 and 20); it is packed in the background and kept for seven days."""
    made = exports.ask(actor=actor(request), subject=bearer(request).subject)
    response["Location"] = f"{problems.PREFIX}exports/{made.id}"
    return Status(202, _shown(made))


@router.get(
    "/exports/{uuid:export_id}", response=schemas.Export, auth=CustomerToken("export"), summary=noop("One copy")
)
@answers.etag
def get_export(request: HttpRequest, export_id: UUID) -> schemas.Export:
    """Return how far a copy is."""
    return _shown(exports.one_of(bearer(request).subject, export_id))


@router.get("/exports/{uuid:export_id}/file", auth=CustomerToken("export"), summary=noop("Download a copy"))
def download_export(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """Return the copy as a ZIP file; its format is published."""
    plain = exports.fetch(
        actor=actor(request),
        subject=bearer(request).subject,
        export_id=export_id,
        warrant=warrant(request, "export-download"),
    )
    answer = StreamingHttpResponse(iter(plain), content_type="application/zip")
    answer["Content-Length"] = str(plain.length)
    answer["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    return answer


@router.post(
    "/account/deletion",
    response={200: schemas.Deletion, 202: schemas.Deletion},
    auth=CustomerToken("account.delete"),
    summary=noop("Delete everything"),
)
@once(together=False)
def delete_account(request: HttpRequest, new: schemas.NewDeletion) -> Status[Any]:
    """Delete everything and close the account: after time to think, or at once.

    At once means that the key is destroyed and this token with it; the answer says where the signed receipt is kept.
    """
    subject = bearer(request).subject
    if new.days:
        planned = erasure.plan(actor=actor(request), subject=subject, days=new.days)
        return Status(202, schemas.Deletion(due_at=planned.due_at, receipt_url=None))
    receipt_id = erasure.erase_everything(actor=actor(request), subject=subject)
    address = f"{configuration.current().public_url}{reverse('studio:receipt', args=[receipt_id])}"
    return Status(200, schemas.Deletion(due_at=None, receipt_url=address))


@router.delete(
    "/account/deletion",
    response={204: None},
    auth=CustomerToken("account.delete"),
    summary=noop("Keep everything after all"),
)
def cancel_deletion(request: HttpRequest) -> Status[Any]:
    """Call a planned deletion off."""
    erasure.cancel_plan(actor=actor(request), subject=bearer(request).subject)
    return Status(204, None)
