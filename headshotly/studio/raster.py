"""Turning bytes into pixels. Runs only inside the sandbox; ``decoding`` is the door.

Formats are named one by one; whatever else Pillow can read stays unread.
"""

import io
import warnings
from typing import Any

import pillow_heif
from PIL import Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF")
MASTER_SIDE = 4096  # pixels; larger pictures are reduced, no headshot needs more
_SRGB = ImageCms.createProfile("sRGB")

# Outcomes, one byte each on the wire.
PICTURE, UNREADABLE, NOT_A_PICTURE, TOO_MANY_PIXELS, INCOMPLETE = range(5)


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
    """Return outcome, (width, height) and RGB bytes of an upright sRGB picture without any metadata.

    Args:
        data: the file as uploaded.
        pixels_max: most pixels that are decoded; checked on the header.
    """
    nothing = ((0, 0), b"")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > pixels_max:
                return TOO_MANY_PIXELS, (image.width, image.height), b""
            return _pixels(image)
    except UnidentifiedImageError:
        return (NOT_A_PICTURE, *nothing)
    except (OSError, SyntaxError, EOFError) as error:
        cut_off = "truncated" in str(error).lower() or isinstance(error, EOFError)
        return (INCOMPLETE if cut_off else UNREADABLE, *nothing)
    except Exception:  # noqa: BLE001 - decoders raise anything on hostile input; this process holds nothing to lose
        return (UNREADABLE, *nothing)


def _pixels(image: Image.Image) -> tuple[int, tuple[int, int], bytes]:
    # A JPEG decoder can skip detail that would be thrown away anyway.
    image.draft("RGB", (MASTER_SIDE, MASTER_SIDE))
    image.load()
    upright = ImageOps.exif_transpose(image) or image
    picture = _in_srgb(upright)
    picture.thumbnail((MASTER_SIDE, MASTER_SIDE), Image.Resampling.LANCZOS)
    return PICTURE, picture.size, picture.tobytes()


def _in_srgb(image: Image.Image) -> Image.Image:
    """Return an RGB picture in sRGB; transparency lies on white, 16 bits become 8."""
    profile = image.info.get("icc_profile")
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
    return image.convert("RGB")


def _converted(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Return the picture converted by its own colour profile, or None where the profile does not fit."""
    try:
        source: Any = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
