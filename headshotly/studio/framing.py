"""Where to cut: the head at its place and size, never an empty border, never a stretched pixel."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from headshotly.studio.edges import Alpha
from headshotly.studio.faces import CHIN, Face
from headshotly.studio.styles import Crop

_EYES = (33, 133, 263, 362)
_TIGHTEST = 1.12  # height of the frame by the height of the face
_STEP = 0.98
_TOUCHES = 0.35  # alpha at the border from which the person is cut off there
# What a departure from the ideal costs one: a frame so much smaller, a head so far from its place.
_SMALLER, _ASIDE, _HIGHER = 0.28, 0.07, 0.06
_CUT_OFF = 0.4  # ... and what it costs by the share of the head that a frame cuts off


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle in the picture's pixels; it may reach beyond the picture where only background is."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Head:
    """Where the head is, hair and hat included.

    Attributes:
        centre: x of its middle.
        top: y of its highest point.
        chin: y of its lowest.
        face: height of the face, forehead to chin.
    """

    centre: float
    top: float
    chin: float
    face: float


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


def frame(alpha: Alpha, face: Face, crop: Crop) -> Frame:
    """Return the best frame that shows no missing part of the person.

    Args:
        alpha: (height, width) matte.
        face: the person's face.
        crop: the wanted shape.
    """
    head = _head(alpha, face)
    eyes = float(face.landmarks[list(_EYES), 1].mean())
    fitting = [
        (_cost(found, head, crop, borders), found)
        for borders in _borders(alpha, eyes)
        for found in _frames(head, crop, borders)
    ]
    return min(fitting, key=lambda pair: pair[0])[1]


def _head(alpha: Alpha, face: Face) -> _Head:
    chin = float(face.landmarks[CHIN, 1])
    forehead = float(face.landmarks[:, 1].min())
    middle = float(face.landmarks[list(_EYES), 0].mean())
    height, width = alpha.shape
    left, right = (int(np.clip(middle + side * 0.45 * face.width, 0, width - 1)) for side in (-1, 1))
    column = alpha[: int(np.clip(forehead, 1, height)), left : right + 1].max(axis=1) > 0.5  # noqa: PLR2004 - rather the person
    free = np.flatnonzero(~column)  # the first row above the forehead without a hair ends the head
    top = float(free[-1] + 1) if free.size else 0.0
    # A turned face looks to one side of its head; the head's middle counts as much as the eyes'.
    eyes = int(np.clip(face.landmarks[list(_EYES), 1].mean(), 0, height - 1))
    own = np.flatnonzero(alpha[eyes] > 0.5)  # noqa: PLR2004
    near = own[np.abs(own - middle) < face.width]
    centre = (middle + float(near.mean())) / 2 if near.size else middle
    return _Head(centre, min(top, forehead), chin, face.height)


def _borders(alpha: Alpha, eyes: float) -> list[_Borders]:
    height, width = alpha.shape
    top = 0.0 if alpha[:2].max() > _TOUCHES else -np.inf
    at_left, at_right = alpha[:, :2].max(axis=1) > _TOUCHES, alpha[:, -2:].max(axis=1) > _TOUCHES
    left = 0.0 if at_left.any() else -np.inf
    right = float(width) if at_right.any() else np.inf
    choices = [_Borders(left, right, top, height)]
    # Or end above the rows in which a shoulder leaves the picture; then that side is free.
    for rows, sides in (
        (at_left | at_right, (-np.inf, np.inf)),
        (at_left, (-np.inf, right)),
        (at_right, (left, np.inf)),
    ):
        touching = np.flatnonzero(rows)
        if touching.size and touching[0] > eyes:
            choices.append(_Borders(*sides, top, float(touching[0])))
    return choices


def _frames(head: _Head, crop: Crop, borders: _Borders) -> Iterator[Frame]:
    """Yield frames from the ideal size down, each as near to the ideal place as the borders let it; at least one."""
    ratio = crop.width / crop.height
    height = max((head.chin - head.top) / crop.head, head.face * _TIGHTEST)
    found = False
    while not found or height * _STEP >= head.face * _TIGHTEST:
        width = height * ratio
        high_enough = height <= borders.bottom - max(borders.top, borders.bottom - height)
        if (width <= borders.right - borders.left and high_enough) or height < head.face / 2:
            found = True
            left = float(np.clip(head.centre - width / 2, borders.left, max(borders.left, borders.right - width)))
            top = min(head.top - crop.room * height, borders.bottom - height)
            yield Frame(left, max(top, borders.top), width, height)
        height *= _STEP


def _cost(found: Frame, head: _Head, crop: Crop, borders: _Borders) -> float:
    """Return how far a frame is from the ideal; a head that the photo itself cuts off is nobody's fault."""
    smaller = np.log((head.chin - head.top) / crop.head / found.height) / _SMALLER
    aside = (head.centre - found.left - found.width / 2) / found.width / _ASIDE
    room = (head.top - found.top) / found.height
    wanted = 0.0 if borders.top == 0.0 and head.top <= 1 else crop.room
    higher = (room - wanted) / _HIGHER
    below = max(0.0, head.chin - (found.top + found.height)) / head.face / _CUT_OFF
    return float(smaller**2 + aside**2 + higher**2 + below**2)
