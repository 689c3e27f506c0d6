"""From an uploaded file to a clean picture, and from a picture to the bytes that are sealed."""

import io
from functools import cache

import cv2
import numpy as np
from PIL import Image

from headshotly.policy.enforcement import enforces
from headshotly.studio import raster
from headshotly.studio.errors import PhotoTooLarge, PhotoUnreadable
from headshotly.studio.faces import Picture
from headshotly.studio.sandbox import Sandbox, SandboxDied

_MEBI = 1 << 20
_BEST = (
    cv2.IMWRITE_JPEG_QUALITY,
    95,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)
_SENTENCES = {
    raster.UNREADABLE: ("photo.unreadable", "This file is damaged and cannot be read. Please export or save it again."),
    raster.NOT_A_PICTURE: (
        "photo.not_a_picture",
        "This is not a picture we can read. Please use a JPEG, PNG, WebP, AVIF or HEIC file.",
    ),
    raster.INCOMPLETE: (
        "photo.truncated",
        "This picture is incomplete: its end is missing. Please copy or download it again.",
    ),
}


@cache
def sandbox(*, at_once: int, filter_required: bool) -> Sandbox:
    """Return the process's one sandbox."""
    return Sandbox(at_once=at_once, filter_required=filter_required)


@enforces("2.3.b")
def decode(data: bytes, *, pixels_max: int, bytes_max: int, at_once: int = 2, filter_required: bool = False) -> Picture:
    """Return the picture in a file: upright, sRGB, without a byte of its metadata.

    Args:
        data: the file as uploaded.
        pixels_max: most pixels that are decoded.
        bytes_max: most bytes that are looked at.
        at_once: decoders alive at one moment in this process.
        filter_required: refuse where the system has no seccomp.

    Returns:
        (height, width, 3) uint8, longest side at most 4096 pixels.

    Raises:
        PhotoTooLarge: too many bytes, or too many pixels.
        PhotoUnreadable: not a picture, incomplete, or damaged; each with its own sentence and code.
        StudioBusy: every decoder was taken for too long.
    """
    if not data:
        raise PhotoUnreadable("This file is empty.", code="photo.empty")
    if len(data) > bytes_max:
        raise PhotoTooLarge(f"This file is larger than {bytes_max // _MEBI} MB. Please save a smaller version.")
    try:
        outcome, (width, height), pixels = sandbox(at_once=at_once, filter_required=filter_required).decode(
            data, pixels_max=pixels_max
        )
    except SandboxDied:
        outcome, (width, height), pixels = raster.UNREADABLE, (0, 0), np.empty(0, np.uint8)
    if outcome == raster.TOO_MANY_PIXELS:
        raise PhotoTooLarge(
            f"This picture has {width * height // 10**6} megapixels; {pixels_max // 10**6} is the most we take.",
            code="photo.too_many_pixels",
        )
    if outcome != raster.PICTURE:
        code, sentence = _SENTENCES[outcome]
        raise PhotoUnreadable(sentence, code=code)
    return pixels.reshape(height, width, 3)


def encode_master(picture: Picture) -> bytes:
    """Return the bytes that are sealed for a photo: JPEG, quality 95, full colour resolution, no metadata."""
    # The bytes Pillow writes with quality 95 and no subsampling, without its copy of four bytes a pixel.
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), _BEST)
    if not done:
        raise RuntimeError("a picture could not be encoded")
    return data.tobytes()


def decode_own(data: bytes) -> Picture:
    """Return a picture that this studio encoded itself and the vault just authenticated; no sandbox is needed."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return np.asarray(image.convert("RGB"))


def encode_preview(picture: Picture, *, side: int = 480) -> bytes:
    """Return a small JPEG for lists, longest side in pixels as given."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale < 1:  # means of areas straight from the array: a tenth of what a copy of it and a wider filter take
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, format="JPEG", quality=85)
    return out.getvalue()
