"""Turning bytes into pixels. Runs only inside the sandbox; ``decoding`` is the door.

Formats are named one by one; whatever else Pillow can read stays unread.
"""

import io
import struct
import warnings
from collections.abc import Iterator
from typing import Any

import pillow_heif
from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF")
MASTER_SIDE = 4096  # pixels; larger pictures are reduced, no headshot needs more
_ROWS = 16  # that leave at once: few enough for memory that is used again
_SRGB = ImageCms.createProfile("sRGB")

# Outcomes, one byte each on the wire.
OUTCOMES = PICTURE, UNREADABLE, NOT_A_PICTURE, TOO_MANY_PIXELS, INCOMPLETE = tuple(range(5))

_ORIENTATION = 0x0112  # the EXIF tag
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def prepare() -> None:
    """Load every decoder and use each once, so that a confined process needs no file afterwards."""
    # One picture a process; threads would only add calls to allow.
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = None  # our own limit is checked before anything is decoded
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    sample = Image.linear_gradient("L").convert("RGB")
    profile = ImageCms.ImageCmsProfile(_SRGB).tobytes()
    for name in FORMATS:
        out = io.BytesIO()
        sample.save(out, format=name, icc_profile=profile)
        outcome, _, _ = decode(out.getvalue(), pixels_max=1 << 20)
        if outcome != PICTURE:
            raise RuntimeError(f"this installation cannot read {name}")


def decode(data: bytes, *, pixels_max: int) -> tuple[int, tuple[int, int], bytes]:
    """Return outcome, (width, height) and RGB bytes of a picture as ``read`` gives it; arguments as there."""
    outcome, size, picture = read(data, pixels_max=pixels_max)
    return outcome, size, b"".join(strips(picture)) if picture else b""


def strips(picture: Image.Image) -> Iterator[bytes]:
    """Yield a picture's RGB bytes from top to bottom, some rows at a time: the whole is nowhere twice."""
    for top in range(0, picture.height, _ROWS):
        yield picture.crop((0, top, picture.width, min(top + _ROWS, picture.height))).tobytes()


def read(data: bytes, *, pixels_max: int) -> tuple[int, tuple[int, int], Image.Image | None]:
    """Return outcome, (width, height) and an upright sRGB picture without any metadata, or None.

    Args:
        data: the file as uploaded.
        pixels_max: most pixels that are decoded; checked on the header.
    """
    nothing = ((0, 0), None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # The WebP decoder asks for the memory of the whole canvas when it is opened, before its size can be read.
            width, height = _webp_canvas(data)
            if width * height > pixels_max:
                return TOO_MANY_PIXELS, (width, height), None
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > pixels_max:
                return TOO_MANY_PIXELS, (image.width, image.height), None
            picture = _upright(image)
            return PICTURE, picture.size, picture
    except UnidentifiedImageError:
        return (INCOMPLETE if is_cut_off(data) else NOT_A_PICTURE, *nothing)
    except (OSError, SyntaxError, EOFError, ValueError) as error:
        cut_off = "truncated" in str(error).lower() or isinstance(error, EOFError) or is_cut_off(data)
        return (INCOMPLETE if cut_off else UNREADABLE, *nothing)
    except Exception:  # noqa: BLE001 - decoders raise anything on hostile input; this process holds nothing to lose
        return (UNREADABLE, *nothing)


def _webp_canvas(data: bytes) -> tuple[int, int]:
    """Return width and height as the first chunk of a WebP file states them (RFC 9649), or nothing at all."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:  # noqa: PLR2004 - the longest of the heads
        return 0, 0
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


def is_cut_off(data: bytes) -> bool:
    """Say whether a WebP, AVIF or HEIC file states a length that it does not have.

    Their decoders call such a file unknown or damaged, which helps nobody to copy it again.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return len(data) < int.from_bytes(data[4:8], "little") + 8
    if data[4:8] != b"ftyp":
        return False
    place = 0  # ISO/IEC 14496-12: boxes, each with its size in front; 0 reaches to the end, 1 has 64 bits behind
    while place < len(data):
        if len(data) - place < 8:  # noqa: PLR2004 - the head of a box
            return True
        size, kind = struct.unpack_from(">I4s", data, place)
        if size == 1 and len(data) - place >= 16:  # noqa: PLR2004 - the head of a long box
            (size,) = struct.unpack_from(">Q", data, place + 8)
        if size == 0 or not kind.isalnum():
            return False
        place += max(size, 8)
    return place > len(data)


def _upright(image: Image.Image) -> Image.Image:
    # A JPEG decoder can skip detail that would be thrown away anyway.
    image.draft("RGB", (MASTER_SIDE, MASTER_SIDE))
    image.load()
    turn = _UPRIGHT.get(_orientation(image))
    picture = _in_srgb(image)
    picture.thumbnail((MASTER_SIDE, MASTER_SIDE), Image.Resampling.LANCZOS)
    return picture if turn is None else picture.transpose(turn)


def _orientation(image: Image.Image) -> Any:
    """Return how the camera was held; 1, upright, where its metadata cannot be read: the pixels can all the same."""
    try:
        return image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - metadata is whatever somebody wrote; a picture is not refused for it
        return 1


def _in_srgb(image: Image.Image) -> Image.Image:
    """Return an RGB picture in sRGB; transparency lies on white, 16 bits become 8."""
    profile = image.info.get("icc_profile")
    if image.mode == "P" and "transparency" not in image.info:
        image = image.convert("RGB")  # a profile speaks of colours, not of places in a palette
    if image.mode.startswith(("I", "F")):
        image = image.point(lambda value: value / 256).convert("L")
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        overlay = image.convert("RGBA")
        image = Image.new("RGBA", overlay.size, "white")
        image.alpha_composite(overlay)
        image = image.convert("RGB")
    if profile:
        converted = _converted(image, profile)
        if converted is not None:
            return converted
    return image if image.mode == "RGB" else image.convert("RGB")


def _converted(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Return the picture converted by its own colour profile, or None where the profile does not fit."""
    try:
        source: Any = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
