"""A contact sheet: sources, what the gate saw, mattes and styles side by side, for whoever judges the engine's work."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from headshotly.studio.faces import Picture

_GAP, _LABEL = 8, 22  # pixels
_PAPER, _INK, _SQUARES = 250, (40, 40, 46), ((168, 168, 168), (206, 206, 206))


@dataclass(frozen=True, slots=True)
class Row:
    """One photo on the sheet.

    Attributes:
        name: what stands over it.
        pictures: each (height, width, 3) uint8 with its title, left to right.
    """

    name: str
    pictures: tuple[tuple[str, Picture], ...]


def blank(width: int, height: int) -> Picture:
    """Return empty paper, where there is no picture to show."""
    return np.full((height, width, 3), _PAPER, np.uint8)


def on_squares(picture: Picture, alpha: np.ndarray) -> Picture:
    """Return a picture cut out on grey squares, as editors show transparency.

    Args:
        picture: (height, width, 3) uint8.
        alpha: (height, width) float32, 0 to 1.
    """
    height, width = alpha.shape
    side = max(4, width // 32)
    rows, columns = np.indices((height, width)) // side
    ground = np.array(_SQUARES, np.float32)[(rows + columns) % 2]
    mixed: Picture = (picture * alpha[..., None] + ground * (1 - alpha[..., None]) + 0.5).astype(np.uint8)
    return mixed


def compose(rows: Sequence[Row], *, width: int) -> Picture:
    """Return all rows as one picture; a row may have fewer pictures than others.

    Args:
        rows: the photos.
        width: of each picture on the sheet, in pixels.

    Returns:
        (height, width, 3) uint8.
    """
    most = max((len(row.pictures) for row in rows), default=0)
    strips = [_strip(row, most, width) for row in rows]
    return np.concatenate(strips) if strips else np.full((1, 1, 3), _PAPER, np.uint8)


def _strip(row: Row, most: int, width: int) -> Picture:
    small = [(title, _fitted(picture, width)) for title, picture in row.pictures]
    height = max((picture.shape[0] for _, picture in small), default=0)
    paper = np.full((height + 2 * _LABEL + _GAP, most * (width + _GAP) + _GAP, 3), _PAPER, np.uint8)
    for place, (_, picture) in enumerate(small):
        left = _GAP + place * (width + _GAP)
        paper[2 * _LABEL : 2 * _LABEL + picture.shape[0], left : left + width] = picture
    image = Image.fromarray(paper)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(14)
    draw.text((_GAP, 4), row.name, fill=_INK, font=font)
    for place, (title, _) in enumerate(small):
        draw.text((_GAP + place * (width + _GAP), _LABEL + 2), title, fill=_INK, font=font)
    return np.asarray(image)


def _fitted(picture: Picture, width: int) -> Picture:
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
