"""Sign-in is Django's; the gallery, a picture, a download and an upload are the shortest honest ones."""

from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
from django.conf import settings  # noqa: TID251 - a project of its own
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from bench.rival.models import Picture
from headshotly.policy import clock
from headshotly.studio import decoding, gate, raster

_PADDING = settings.FOLDER / "padding.txt"
_MODELS = Path(__file__).resolve().parents[2] / ".models"


def _padding() -> str:
    """Return what makes the gallery as many bytes as the service's own; measured before and put there."""
    return _PADDING.read_text() if _PADDING.exists() else ""


_padded = _padding()


@login_required
def gallery(request: HttpRequest) -> HttpResponse:
    """List the pictures of whoever asks."""
    pictures = Picture.objects.filter(owner=request.user).order_by("made_at")
    return render(request, "gallery.html", {"pictures": pictures, "padding": _padded})


def _file(path: str, *, name: str = "") -> HttpResponse:
    answer = HttpResponse((settings.FOLDER / path).read_bytes(), content_type="image/jpeg")
    if name:
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@login_required
def picture(request: HttpRequest, picture_id: UUID) -> HttpResponse:
    """Show a small version to its owner."""
    return _file(get_object_or_404(Picture, id=picture_id, owner=request.user).preview_path)


@login_required
def download(request: HttpRequest, picture_id: UUID) -> HttpResponse:
    """Give the file to its owner."""
    return _file(get_object_or_404(Picture, id=picture_id, owner=request.user).path, name="headshot.jpg")


def _keep(request: HttpRequest, data: bytes, preview: bytes) -> Picture:
    stem = uuid4().hex
    (settings.FOLDER / f"{stem}.jpg").write_bytes(data)
    (settings.FOLDER / f"{stem}-small.jpg").write_bytes(preview)
    return Picture.objects.create(
        owner_id=request.user.pk,
        title="photo",
        path=f"{stem}.jpg",
        preview_path=f"{stem}-small.jpg",
        made_at=clock.now(),
    )


@login_required
@require_POST
def upload_plain(request: HttpRequest) -> HttpResponse:
    """Write the bytes as they came, and a row."""
    made = [_keep(request, file.read(), b"") for file in request.FILES.getlist("photos")]
    return JsonResponse([{"id": str(one.id)} for one in made], safe=False)


@login_required
@require_POST
def upload_pictures(request: HttpRequest) -> HttpResponse:
    """Do the same to the picture as the service does, in this very process, and write plain files and a row."""
    made = []
    for file in request.FILES.getlist("photos"):
        _, (width, height), pixels = raster.decode(file.read(), pixels_max=60_000_000)
        image = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
        verdict = gate.judge(image, _MODELS)
        decoding.encode_preview(gate.draw(image, verdict), side=360)
        made.append(_keep(request, decoding.encode_master(image), decoding.encode_preview(image)))
    return JsonResponse([{"id": str(one.id)} for one in made], safe=False)
