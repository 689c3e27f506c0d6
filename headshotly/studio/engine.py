"""The portrait engine: from one photo to a headshot in any style, on the CPU, without inventing a pixel of a face."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from headshotly.studio import backgrounds, light, stains
from headshotly.studio.edges import Alpha, Image, signed_distance
from headshotly.studio.errors import NoFaceToFrame, TooSmallForStyle
from headshotly.studio.faces import Face, Picture, find_faces
from headshotly.studio.framing import Frame, frame
from headshotly.studio.gate import FACE_WIDTH_GOOD
from headshotly.studio.marking import STUDIO, Origin
from headshotly.studio.matting import TRUSTED, Matte, foreground, matte, scaled
from headshotly.studio.styles import Style

type Progress = Callable[[str], None]
_LARGEST = 2048  # pixels of height; no source gives a headshot more
_FACE_LARGEST = 800  # pixels of width; that of a face in the largest headshot
# How far from the face anything can come into a headshot, by the face's height: sideways, above, below.
_ASIDE, _ABOVE, _BELOW = 3.6, 2.4, 3.6
# Where an outline is not safe: how far from it the photo stays sharp, and is out of focus; how near its borders it is,
# too, for beyond them nothing is sharp. In hundredths of the face's width.
_STILL_SHARP, _ALL_BLURRED, _BORDER = 2.0, 12.0, 12.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything about a photo that all styles share.

    Attributes:
        picture: the photo.
        face: the person's face.
        alpha: the matte.
        blend: how much of each pixel is taken from ``colours``; the matte, where it may be trusted.
        colours: the person's own colours, exposed and retouched, (height, width, 3) float32.
        confidence: how far the matte may be trusted.
        grain: noise of the photo.
        gain: the scene's exposure correction.
    """

    picture: Picture
    face: Face
    alpha: Alpha
    blend: Alpha
    colours: Image
    confidence: float
    grain: float
    gain: float


@dataclass(frozen=True, slots=True)
class Headshot:
    """A finished picture and what a person should know about it.

    Attributes:
        picture: (height, width, 3) uint8, sRGB.
        notes: plain sentences, such as that the original background was kept.
        origin: how it came to be; the file says so.
    """

    picture: Picture
    notes: tuple[str, ...]
    origin: Origin = STUDIO


class Engine(Protocol):
    """What makes headshots. ``prepare`` is the costly part and serves every style.

    Attributes:
        photos_used: most photos of a person that one headshot is made after.
    """

    photos_used: int

    def prepare(self, picture: Picture, *, others: Sequence[Picture] = ..., progress: Progress = ...) -> Any:
        """Return what all styles of a photo share."""

    def render(self, prepared: Any, style: Style) -> Headshot:
        """Return the headshot in one style."""


def _silent(_step: str) -> None:
    """Tell nobody."""


class PortraitEngine:
    """Cuts the person out, and sets them before a new background in the light they were taken in."""

    photos_used = 1

    def __init__(self, models: Path) -> None:
        """Take the model folder; models are loaded with the first photo."""
        self._models = models

    def prepare(
        self,
        picture: Picture,
        *,
        others: Sequence[Picture] = (),  # noqa: ARG002 - the interface's; one photo is all this engine needs
        progress: Progress = _silent,
    ) -> Prepared:
        """Return what all styles of a photo share.

        Args:
            picture: (height, width, 3) uint8, sRGB, upright.
            others: more photos of the same person; not used.
            progress: told each step in a word or two.

        Raises:
            NoFaceToFrame: there is no face.
            ModelsMissing: the model folder is incomplete.
        """
        progress("finding the face")
        faces = find_faces(picture, self._models)
        if not faces:
            raise NoFaceToFrame("We found no face in this photo.")
        picture, face = close_up(picture, faces[0])
        progress("cutting out")
        cut = matte(picture, face, self._models)
        progress("cleaning edges and light")
        own, blend = _cut_out(picture, cut, face) if cut.confidence >= TRUSTED else _left_in(picture, cut, face)
        gain = light.exposure_gain(picture)
        lit = light.expose(light.retouch(own, face), gain)
        return Prepared(picture, face, cut.alpha, blend, lit, cut.confidence, light.noise_level(picture), gain)

    def render(self, prepared: Prepared, style: Style) -> Headshot:
        """Return the headshot in one style; deterministic.

        Args:
            prepared: from ``prepare``.
            style: how it shall look.

        Raises:
            TooSmallForStyle: the photo holds fewer pixels than the style demands.
        """
        notes: list[str] = []
        trusted = prepared.confidence >= TRUSTED
        own_background = style.backdrop == "office" or not trusted
        if not trusted:
            notes.append(
                "The edge of the person could not be found safely, so the original background was kept, out of focus."
            )
        cut = frame(prepared.alpha, prepared.face, style.crop)
        if prepared.face.width < FACE_WIDTH_GOOD:
            cut, size = _as_it_is(cut, style)
            notes.append(
                f"This photo is small: your headshot is {size[0]} × {size[1]} pixels, as large as you are in the photo."
            )
        else:
            size = _size(cut, style)
        behind = self._background(prepared, style, cut, size, own=own_background)
        alpha = np.clip(_warp(prepared.blend, cut, size), 0, 1)[..., None]
        person = _sharpen(_warp(prepared.colours, cut, size, edge=cv2.BORDER_REPLICATE), size[1] / cut.height)
        person = light.wrap(person, behind, alpha, prepared.face.width * size[1] / cut.height)
        result = person * alpha + behind * (1 - alpha)
        return Headshot((np.clip(result, 0, 1) * 255 + 0.5).astype(np.uint8), tuple(notes))

    @staticmethod
    def _background(prepared: Prepared, style: Style, cut: Frame, size: tuple[int, int], *, own: bool) -> Image:
        if own:
            strength = max(4.0, prepared.face.width * 0.07)
            scene = backgrounds.blurred(prepared.picture, prepared.alpha, strength)
            # Beyond the photo its background, out of focus, goes on as in a mirror.
            behind = light.expose(_warp(scene, cut, size, edge=cv2.BORDER_REFLECT_101), prepared.gain)
        elif style.backdrop == "outdoor":
            behind = backgrounds.outdoor(size, style.colours)
        else:
            behind = backgrounds.studio(size, style.colours)
        return light.add_grain(behind, prepared.grain)


def _cut_out(picture: Picture, cut: Matte, face: Face) -> tuple[Image, Alpha]:
    """Return the person's own colours, and the matte."""
    own = foreground(picture, cut.alpha, max(4, int(face.width * 0.18)))
    return stains.own_hues(own, picture, cut.alpha, face), cut.alpha


def _left_in(picture: Picture, cut: Matte, face: Face) -> tuple[Image, Alpha]:
    """Return the photo as it is, and how it passes into its own background out of focus: well outside the outline."""
    unit = face.width / 100
    left = np.clip((_ALL_BLURRED + signed_distance(cut.alpha) / unit) / (_ALL_BLURRED - _STILL_SHARP), 0, 1)
    height, width = cut.alpha.shape
    columns, rows = np.arange(width), np.arange(height)[:, None]
    within = np.minimum(np.minimum(columns, width - 1 - columns), rows) / unit / _BORDER
    left = left * left * (3 - 2 * left) * np.clip(within, 0, 1)
    blend = np.maximum(cut.alpha, left).astype(np.float32)
    return (picture / 255).astype(np.float32), blend


def close_up(picture: Picture, face: Face) -> tuple[Picture, Face]:
    """Return the part of a picture that a headshot can show, not larger than one can be, and the face in it.

    Args:
        picture: (height, width, 3) uint8; a large one costs memory and time that no headshot gives back.
        face: the person's face.
    """
    height, width = picture.shape[:2]
    x, y = face.landmarks[:, :2].mean(axis=0)
    left, top = max(0, int(x - _ASIDE * face.height)), max(0, int(y - _ABOVE * face.height))
    right, bottom = min(width, int(x + _ASIDE * face.height)), min(height, int(y + _BELOW * face.height))
    part = np.ascontiguousarray(picture[top:bottom, left:right])
    landmarks = face.landmarks.copy()
    landmarks[:, :2] -= (left, top)
    box = (face.box[0] - left, face.box[1] - top, face.box[2] - left, face.box[3] - top)
    moved = replace(face, landmarks=landmarks, box=box)
    scale = _FACE_LARGEST / face.width
    return scaled(part, moved, scale) if scale < 1 else (part, moved)


def _size(cut: Frame, style: Style) -> tuple[int, int]:
    """Return width and height of the result: the style's at least, the source's where that has more."""
    width, height = style.crop.pixels
    scale = max(1.0, min(cut.height, _LARGEST) / height)
    return round(width * scale), round(height * scale)


def _as_it_is(cut: Frame, style: Style) -> tuple[Frame, tuple[int, int]]:
    """Return a frame on whole pixels and its own size: a small face is neither enlarged nor resampled (ADR 104).

    Raises:
        TooSmallForStyle: that is less than the style demands.
    """
    left, top = math.ceil(cut.left), math.ceil(cut.top)
    wide, high = math.floor(cut.left + cut.width) - left, math.floor(cut.top + cut.height) - top
    height = max(1, min(high, int(wide * style.crop.height / style.crop.width)))
    width = max(1, min(wide, round(height * style.crop.width / style.crop.height)))
    least = style.crop.demanded
    if width < least[0] or height < least[1]:
        raise TooSmallForStyle(
            f"This style needs {least[0]} × {least[1]} pixels and your photo holds only {width} × {height}."
        )
    return Frame(left, top, width, height), (width, height)


def _warp(image: Image, cut: Frame, size: tuple[int, int], *, edge: int = cv2.BORDER_CONSTANT) -> Image:
    """Return the part of an image inside a frame, resampled once to the result's size."""
    scale_x, scale_y = size[0] / cut.width, size[1] / cut.height
    into = np.array(
        [[scale_x, 0, -cut.left * scale_x + (scale_x - 1) / 2], [0, scale_y, -cut.top * scale_y + (scale_y - 1) / 2]],
        np.float32,
    )
    method = cv2.INTER_LANCZOS4 if scale_y >= 1 else cv2.INTER_AREA
    return cv2.warpAffine(image, into, size, flags=method, borderMode=edge).astype(np.float32)


def _sharpen(image: Image, scale: float) -> Image:
    """Return an enlarged image with its edges as crisp as they were; one that was not enlarged stays as it is."""
    if scale <= 1:
        return image
    blurred = cv2.GaussianBlur(image, (0, 0), 0.9 * scale)
    return image + (image - blurred) * min(0.35, 0.25 * (scale - 1) + 0.1)
