"""The studio's pages. Every picture is opened under the owner's own warrant, for this request only."""

import datetime as dt
import json
from base64 import b64encode
from collections.abc import Iterator
from itertools import chain
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from headshotly.accounts.models import Customer
from headshotly.accounts.services import verify_password
from headshotly.audit import services as audit
from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.policy import configuration
from headshotly.policy.permission import permission
from headshotly.policy.refusal import Refusal
from headshotly.policy.wording import told
from headshotly.purposes.errors import ConsentMissing
from headshotly.purposes.selectors import consent_in_force
from headshotly.purposes.texts import HEADSHOT_GENERATION
from headshotly.studio import decoding, entitlement, gate, selectors, services, states
from headshotly.studio.downloads import stream_zip
from headshotly.studio.errors import NotFound
from headshotly.studio.models import Headshot, ShootState
from headshotly.studio.styles import BRAND, DEFAULT, STYLES, style
from headshotly.vault import services as vault
from headshotly.vault.errors import ObjectMissing
from headshotly.vault.warrant import Warrant

_SHOOTS_SHOWN = 12


def _subject(request: HttpRequest) -> UUID:
    return cast("UUID", request.user.pk)


def _actor(request: HttpRequest) -> Actor:
    return Actor(kind="customer", id=_subject(request))


def _warrant(request: HttpRequest, purpose: str) -> Warrant:
    return cast("Warrant", cast("Any", request).owner_warrant(purpose))


def _wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _consent_page(request: HttpRequest) -> HttpResponse:
    address = reverse("purposes:consent", args=[HEADSHOT_GENERATION])
    return redirect(f"{address}?next={request.path if request.method == 'GET' else '/studio/'}")


def _picture(data: bytes, *, name: str = "") -> HttpResponse:
    answer = HttpResponse(data, content_type="image/jpeg")
    answer["Cache-Control"] = "private, no-store"
    if name:
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@permission("customer")
@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the customer's photos, styles and shoots."""
    if consent_in_force(_subject(request), HEADSHOT_GENERATION) is None:
        return _consent_page(request)
    return _home(request)


def _home(request: HttpRequest, *, error: str = "", status: int = 200) -> HttpResponse:
    """Show the studio; after a refusal with everything still chosen that was chosen."""
    here = configuration.current()
    shoots = Paginator(selectors.shoots_of(_subject(request)), _SHOOTS_SHOWN).get_page(request.GET.get("page"))
    photos = Paginator(selectors.photos_of(_subject(request)), services.PHOTOS_KEPT_MAX)
    context = {
        "photos": photos.get_page(request.GET.get("photos")),
        "styles": STYLES.values(),
        "error": error,
        "chosen_photos": request.POST.getlist("photo_ids"),
        "chosen_styles": request.POST.getlist("styles") if error else [DEFAULT],
        "brand_colour": request.POST.get("brand_colour", "") or STYLES[BRAND].swatch,
        "left": entitlement.left_of(_subject(request)),
        "shoots": [{"shoot": shoot, "progress": selectors.progress(shoot)} for shoot in shoots],
        "shoots_page": shoots,
        "limits": {
            "photos": here.photos_per_shoot_max,
            "megabytes": here.photo_bytes_max >> 20,
            "face": gate.FACE_WIDTH_GOOD,
        },
    }
    return render(request, "studio/home.html", context, status=status)


@permission("customer")
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Judge one or many uploaded photos; each gets its own answer."""
    try:
        answers = [_receive(request, file) for file in request.FILES.getlist("photos")]
    except ConsentMissing:
        if _wants_json(request):
            raise
        return _consent_page(request)
    if _wants_json(request):
        return JsonResponse(answers, safe=False)
    for answer in answers:
        level = messages.SUCCESS if answer["accepted"] else messages.ERROR
        messages.add_message(request, level, f"{answer['sentence']} {answer['advice']}".strip())
    if not answers:
        messages.error(request, _("Please choose at least one photo."))
    return redirect("studio:home")


def _receive(request: HttpRequest, file: Any) -> dict[str, Any]:
    """Return the answer for one file. Its name is only echoed to whoever sent it, never kept."""
    answer: dict[str, Any] = {"name": file.name, "accepted": False, "advice": "", "hints": [], "photo_id": None}
    try:
        received = services.receive_photo(actor=_actor(request), subject=_subject(request), data=file.read())
    except ConsentMissing:
        raise
    except Refusal as refusal:
        return {**answer, "code": refusal.code, "sentence": refusal.sentence}
    verdict = received.verdict
    answer |= {
        "accepted": verdict.accepted,
        "sentence": told(verdict.sentence),
        "advice": told(verdict.advice),
        "code": verdict.findings[0].code if verdict.findings else "good",
        "hints": [told(finding.sentence) for finding in verdict.findings],
        "score": round(verdict.score, 2),
        "findings": [
            {
                "code": each.code,
                "sentence": told(each.sentence),
                "advice": told(each.advice),
                "score": round(each.score, 2),
            }
            for each in verdict.findings
        ],
        # In the answer itself: a refused photo is not kept, so there is no address to fetch it from.
        "seen": f"data:image/jpeg;base64,{b64encode(received.seen).decode()}",
    }
    if received.photo is not None:
        answer["photo_id"] = str(received.photo.id)
        answer["preview_url"] = reverse("studio:photo-preview", args=[received.photo.id])
        answer["delete_url"] = reverse("studio:photo-delete", args=[received.photo.id])
    return answer


@permission("customer")
@require_safe
def photo_preview(request: HttpRequest, photo_id: UUID) -> HttpResponse:
    """Show a small version of a photo to its owner."""
    photo = services.photo_of(_subject(request), photo_id)
    return _picture(vault.open(object_id=photo.preview_id, warrant=_warrant(request, "view")))


@permission("customer")
@require_safe
def photo_seen(request: HttpRequest, photo_id: UUID) -> HttpResponse:
    """Show which part of a photo the gate looked at to its owner."""
    photo = services.photo_of(_subject(request), photo_id)
    picture = decoding.decode_own(vault.open(object_id=photo.preview_id, warrant=_warrant(request, "view")))
    return _picture(decoding.encode_preview(gate.draw_placed(picture, photo.crop, accepted=True)))


@permission("customer")
@require_POST
def photo_delete(request: HttpRequest, photo_id: UUID) -> HttpResponse:
    """Delete a photo for good."""
    services.delete_photo(actor=_actor(request), subject=_subject(request), photo_id=photo_id)
    messages.success(request, _("The photo is deleted for good."))
    return redirect("studio:home")


def _uuids(values: list[str]) -> list[UUID]:
    try:
        return [UUID(value) for value in values]
    except ValueError:
        raise NotFound("There is no such photo.") from None


@permission("customer")
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Start a shoot with the chosen photos and styles."""
    try:
        shoot = services.start_shoot(
            actor=_actor(request),
            subject=_subject(request),
            photo_ids=_uuids(request.POST.getlist("photo_ids")),
            style_ids=request.POST.getlist("styles"),
            brand_colour=request.POST.get("brand_colour", ""),
        )
    except ConsentMissing:
        return _consent_page(request)
    except Refusal as refusal:
        return _home(request, error=refusal.sentence, status=refusal.status)
    return redirect("studio:shoot", shoot_id=shoot.id)


@permission("customer")
@never_cache
@require_safe
def shoot(request: HttpRequest, shoot_id: UUID) -> HttpResponse:
    """Show a shoot: its progress, then its gallery."""
    found = services.shoot_of(_subject(request), shoot_id)
    made = selectors.gallery_of(found)
    headshots = [{"headshot": headshot, "title": style(headshot.style_id).title} for headshot in made]
    context = {
        "shoot": found,
        "headshots": headshots,
        "favourites": any(headshot.favourite for headshot in made),
        "progress": selectors.progress(found),
        "styles": STYLES.values(),
        "brand_colour": found.brand_colour or STYLES[BRAND].swatch,
        "again": found.state in states.before(ShootState.QUEUED),
    }
    return render(request, "studio/shoot.html", context)


@permission("customer")
@never_cache
@require_safe
def progress(request: HttpRequest, shoot_id: UUID) -> HttpResponse:
    """Answer how far a shoot is."""
    return JsonResponse(selectors.progress(services.shoot_of(_subject(request), shoot_id)))


@permission("customer")
@require_POST
def cancel(request: HttpRequest, shoot_id: UUID) -> HttpResponse:
    """Stop a shoot."""
    services.cancel(actor=_actor(request), subject=_subject(request), shoot_id=shoot_id)
    return redirect("studio:shoot", shoot_id=shoot_id)


@permission("customer")
@require_POST
def redo(request: HttpRequest, shoot_id: UUID) -> HttpResponse:
    """Make one style of a finished shoot again, or add one."""
    try:
        services.redo_style(
            actor=_actor(request),
            subject=_subject(request),
            shoot_id=shoot_id,
            style_id=request.POST.get("style", ""),
            brand_colour=request.POST.get("brand_colour", ""),
        )
    except ConsentMissing:
        return _consent_page(request)
    except NotFound:
        raise
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
    return redirect("studio:shoot", shoot_id=shoot_id)


def _deliver(found: Headshot) -> None:
    entitlement.deliver(found.shoot_id, {entitlement.piece(found.photo_id, found.style_id)})


@permission("customer")
@require_safe
def headshot(request: HttpRequest, headshot_id: UUID) -> HttpResponse:
    """Show a headshot to its owner, small or full."""
    found = services.headshot_of(_subject(request), headshot_id)
    full = request.GET.get("size") == "full"
    if full:
        _deliver(found)
    object_id = found.object_id if full else found.preview_id
    return _picture(vault.open(object_id=object_id, warrant=_warrant(request, "view")))


@permission("customer")
@require_POST
def favourite(request: HttpRequest, headshot_id: UUID) -> HttpResponse:
    """Mark or unmark a headshot."""
    marked = services.toggle_favourite(subject=_subject(request), headshot_id=headshot_id)
    if _wants_json(request):
        return JsonResponse({"favourite": marked})
    return redirect("studio:shoot", shoot_id=services.headshot_of(_subject(request), headshot_id).shoot_id)


def _file_name(found: Headshot) -> str:
    return f"headshot-{found.style_id}-{found.id.hex[:6]}.jpg"


@permission("customer")
@require_safe
def download(request: HttpRequest, headshot_id: UUID) -> HttpResponse:
    """Give a headshot to its owner as a file."""
    found = services.headshot_of(_subject(request), headshot_id)
    _deliver(found)
    warrant = _warrant(request, "download")
    data = vault.open(object_id=found.object_id, warrant=warrant, also=[Act.HEADSHOT_DOWNLOADED])
    return _picture(data, name=_file_name(found))


@permission("customer")
@require_safe
def download_all(request: HttpRequest, shoot_id: UUID) -> StreamingHttpResponse:
    """Give all headshots of a shoot, or the favourites, as one ZIP file."""
    found = services.shoot_of(_subject(request), shoot_id)
    chosen = [one for one in selectors.headshots_of(found) if one.favourite or request.GET.get("favourites") != "1"]
    if not chosen:
        raise NotFound("There is nothing to download here yet.")
    entitlement.deliver(found.id, {entitlement.piece(one.photo_id, one.style_id) for one in chosen})
    audit.record(
        actor=_actor(request),
        act=Act.HEADSHOT_DOWNLOADED,
        subject=_subject(request),
        object_ids=[one.object_id for one in chosen],
    )

    def files() -> Iterator[tuple[str, bytes]]:
        for one in chosen:
            # A warrant for each: a slow line would outlive a single one, and the file would end in the middle.
            warrant = _warrant(request, "download")
            try:
                data = vault.open(object_id=one.object_id, warrant=warrant)
            except ObjectMissing:
                continue  # its owner deleted it in the meantime
            yield _file_name(one), data

    opened = files()
    first = next(opened, None)  # before the answer begins: a refusal is a page only until then
    if first is None:
        raise NotFound("There is nothing to download here yet.")
    answer = StreamingHttpResponse(stream_zip(chain([first], opened)), content_type="application/zip")
    answer["Content-Disposition"] = 'attachment; filename="headshots.zip"'
    answer["Cache-Control"] = "private, no-store"
    return answer


@permission("customer")
@require_POST
def headshot_delete(request: HttpRequest, headshot_id: UUID) -> HttpResponse:
    """Delete a headshot for good."""
    shoot_id = services.headshot_of(_subject(request), headshot_id).shoot_id
    services.delete_headshot(actor=_actor(request), subject=_subject(request), headshot_id=headshot_id)
    messages.success(request, _("The headshot is deleted for good."))
    return redirect("studio:shoot", shoot_id=shoot_id)


@permission("customer")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def delete_everything(request: HttpRequest) -> HttpResponse:
    """Delete the account and everything in it, after the password was given again."""
    if request.method == "POST":
        customer = cast("Customer", request.user)
        if not verify_password(customer, request.POST.get("password", "")):
            context = {"error": _("This is not your password.")}
            return render(request, "studio/delete.html", context, status=422)
        kept = services.delete_everything(actor=_actor(request), subject=customer.id)
        logout(request)
        return redirect("studio:receipt", receipt_id=kept.id)
    return render(request, "studio/delete.html")


@permission("public")
@never_cache
@require_safe
def receipt(request: HttpRequest, receipt_id: UUID) -> HttpResponse:
    """Show a deletion receipt to whoever has its unguessable address; the account is gone by now."""
    kept = selectors.receipt(receipt_id)
    if kept is None:
        raise NotFound("There is no such receipt.")
    document = json.dumps(kept.document, ensure_ascii=False, indent=2)
    if request.GET.get("download"):
        answer = HttpResponse(document, content_type="application/json")
        answer["Content-Disposition"] = 'attachment; filename="deletion-receipt.json"'
        return answer
    erased_at = dt.datetime.fromisoformat(kept.document["statement"]["erased_at"])
    context = {"receipt": kept.document, "receipt_json": document, "receipt_id": kept.id, "erased_at": erased_at}
    return render(request, "studio/receipt.html", context)
