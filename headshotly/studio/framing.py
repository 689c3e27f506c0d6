"""Where to cut: the face at its place and size, never an empty border, never a stretched pixel."""

from dataclasses import dataclass

import numpy as np

from headshotly.studio.faces import Face
from headshotly.studio.matting import Alpha
from headshotly.studio.styles import Crop

_EYES = (33, 133, 263, 362)
_SHRINK = 0.98
_TIGHTEST = 1.18  # height of the frame by the height of the face
_EYES_MAY_MOVE, _CENTRE_MAY_MOVE = 0.07, 0.14  # by the frame's height and width
_TOUCHES = 0.35  # alpha at the border from which the person is cut off there


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle in the picture's pixels; it may reach beyond the picture where only background is."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Borders:
    """How far a frame may go.

    Attributes:
        left: smallest x, or minus infinity where the person does not touch that side.
        right: largest x, or infinity.
        top: smallest y, or minus infinity.
        bottom: largest y.
    """

    left: float
    right: float
    top: float
    bottom: float


def frame(alpha: Alpha, face: Face, crop: Crop, *, extendable: bool) -> Frame:
    """Return the largest frame, up to the crop's ideal, that shows no missing part of the person.

    Args:
        alpha: (height, width) matte.
        face: the person's face.
        crop: the wanted shape.
        extendable: whether the background can be continued beyond the picture.
    """
    eyes = face.landmarks[list(_EYES), :2].mean(axis=0)
    choices = [_fit(eyes, face, crop, borders) for borders in _borders(alpha, eyes, extendable=extendable)]
    return max(choices, key=lambda choice: choice.height)


def _borders(alpha: Alpha, eyes: np.ndarray, *, extendable: bool) -> list[_Borders]:
    height, width = alpha.shape
    inside = _Borders(0, width, 0, height)
    if not extendable:
        return [inside]
    top = 0.0 if alpha[:2].max() > _TOUCHES else -np.inf
    touching = (alpha[:, :2].max(axis=1) > _TOUCHES) | (alpha[:, -2:].max(axis=1) > _TOUCHES)
    rows = np.flatnonzero(touching)
    left = 0.0 if alpha[:, :2].max() > _TOUCHES else -np.inf
    right = float(width) if alpha[:, -2:].max() > _TOUCHES else np.inf
    choices = [_Borders(left, right, top, height)]
    # Or end above the rows in which a shoulder leaves the picture; then both sides are free.
    if rows.size and rows[0] > eyes[1]:
        choices.append(_Borders(-np.inf, np.inf, top, float(rows[0])))
    return choices


def _fit(eyes: np.ndarray, face: Face, crop: Crop, borders: _Borders) -> Frame:
    """Return the frame nearest to the ideal that stays within the borders, smaller where it must."""
    ratio = crop.width / crop.height
    height = face.height / crop.head
    smallest = face.height * _TIGHTEST
    while True:
        width = height * ratio
        fits = width <= borders.right - borders.left and height <= borders.bottom - max(borders.top, -height)
        left = float(np.clip(eyes[0] - width / 2, borders.left, max(borders.left, borders.right - width)))
        top = eyes[1] - crop.eyes * height
        top = float(min(top, borders.bottom - height))
        top = max(top, borders.top)
        # The eyes may move this far from their place before the frame must shrink instead.
        near = (
            abs((eyes[1] - top) / height - crop.eyes) < _EYES_MAY_MOVE
            and abs(left + width / 2 - eyes[0]) < _CENTRE_MAY_MOVE * width
        )
        bottom_ok = top + height <= borders.bottom + 1
        if (fits and near and bottom_ok) or height * _SHRINK < smallest:
            return Frame(left, top, width, height)
        height *= _SHRINK
