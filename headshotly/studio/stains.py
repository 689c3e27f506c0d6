"""What a cut-out still holds of the old background: a corner of a flag, the wall between thin hair, a foreign hue.

The models that draw the outline know shapes; this knows colours. Whatever lies near the outline is looked up among the
colours that are surely the person's and among those that are surely not, each with its place, so that a colour counts
less the farther away it was seen. Lengths are in hundredths of the face's width.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headshotly.studio.edges import Alpha, Image, Where, blur, reached, signed_distance
from headshotly.studio.faces import Face, Picture, oval

_RIM = 13.0  # deeper inside than this nothing is in question
_BEHIND = 8.5  # farther outside than this is the background, and no hair
_WITHIN_FACE = 4.0  # nor is anything in question here, inside the face's oval
_WHOLE, _SOME, _NONE = 0.97, 0.02, 0.02  # opacity
_PER_UNIT = 0.15  # how much a length counts, in differences of L*a*b*
_NEIGHBOURS = 4  # so many must be alike; one may be an accident
_TREE = 4  # FLANN's one exact tree: the same answer each time
# How much nearer the background must be, where the models doubt and where they do not; over what range it is certain.
_TIMES, _APART, _OVER = (1.0, 1.6), (0.0, 5.0), 6.0
_LOOKED_AT = 0.1  # of a coarse finding, from which each pixel is looked at
# Hues: how finely they are looked at, what counts as the same place, how far they may vary.
_HUE_STEP, _HUE_PLACE, _HUE_LIGHTNESS, _ALIKE = 0.7, 0.5, 0.5, 12
_SPREAD, _FREE = 2.0, 4.0
_GREY, _COLOURED = 1.0, 3.0  # chroma that is none, and over what more it surely is one
_FEWEST = 16  # places; from fewer nothing is concluded


class _Seen:
    """Colours with their places, to be searched."""

    def __init__(self, features: Image) -> None:
        # OpenCV's type hints leave this class out.
        index: Any = vars(cv2)["flann_Index"]
        self._tree: Any = index(np.ascontiguousarray(features), {"algorithm": _TREE})

    def nearest(self, features: Image, count: int) -> tuple[NDArray[np.int32], Alpha]:
        """Return (n, count) which are nearest to each of (n, m) features, and (n,) how far the last of them is."""
        at, squares = self._tree.knnSearch(np.ascontiguousarray(features), count, params={"checks": -1})
        return at, np.sqrt(np.maximum(squares[:, -1], 0)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What is known of a matte before colours are asked.

    Attributes:
        own: (height, width) surely the person's.
        behind: (height, width) surely the background's.
        rim: (height, width) in question.
    """

    own: Where
    behind: Where
    rim: Where

    @property
    def silent(self) -> bool:
        """Whether there is too little to compare with."""
        return min(int(part.sum()) for part in (self.own, self.behind, self.rim)) < _FEWEST


def _ground(alpha: Alpha, within: Where, unit: float) -> _Ground:
    depth = signed_distance(alpha) / unit
    return _Ground(
        own=((depth > _RIM) | within) & (alpha > _WHOLE),
        behind=(depth < -_BEHIND) & (alpha < _NONE),
        rim=(alpha > _SOME) & (depth < _RIM) & ~within,
    )


def showing(picture: Picture, alpha: Alpha, belief: Alpha, face: Face) -> Alpha:
    """Return how plainly each pixel that is given to the person is the background's.

    Args:
        picture: (height, width, 3) uint8, sRGB.
        alpha: (height, width) float32, the matte, 0 to 1.
        belief: (height, width) float32, how far it is known from elsewhere that a pixel is the person's, 0 to 1.
        face: whose size sets all lengths.

    Returns:
        (height, width) float32, 0 to 1; nothing where there is nothing to compare with.
    """
    unit = face.width / 100
    known = _ground(alpha, oval(alpha.shape, face, _WITHIN_FACE), unit)
    step = max(2, round(unit))
    grid = np.zeros(alpha.shape, np.bool_)
    grid[::step, ::step] = True
    coarse = _Ground(known.own & grid, known.behind & grid, known.rim & grid)
    found = np.zeros_like(alpha)
    if coarse.silent:
        return found
    smooth = _features(picture, 0.5 * unit, unit)
    own, behind = _Seen(smooth[coarse.own]), _Seen(smooth[coarse.behind])

    def ask(where: Where, features: Image) -> None:
        times, least = (np.interp(belief[where], (0, 1), limits) for limits in (_TIMES, _APART))
        apart = own.nearest(features[where], _NEIGHBOURS)[1] - times * behind.nearest(features[where], _NEIGHBOURS)[1]
        found[where] = np.clip((apart - least) / _OVER, 0, 1)

    ask(coarse.rim, smooth)
    # Only where the coarse look found anything is each pixel looked at.
    near = cv2.dilate(found, np.ones((2 * step + 1, 2 * step + 1), np.uint8)) > _LOOKED_AT
    if (known.rim & near).any():
        ask(known.rim & near, _features(picture, 0.2 * unit, unit))
    return np.where(near, found, 0).astype(np.float32)


def _features(picture: Picture, sigma: float, unit: float) -> Image:
    """Return (height, width, 5) float32: L*a*b* of the blurred picture, and the place."""
    soft = cv2.GaussianBlur((picture / 255).astype(np.float32), (0, 0), max(0.5, sigma))
    return _placed(_lab(soft.astype(np.float32, copy=False)), unit)


def _placed(lab: Image, unit: float, weight: float = _PER_UNIT) -> Image:
    rows, columns = np.indices(lab.shape[:2]).astype(np.float32) / unit * weight
    return np.dstack([lab, columns, rows]).astype(np.float32)


def _lab(image: Image) -> Image:
    """Return CIE L*a*b* of sRGB, 0 to 1, of any size."""
    return cv2.cvtColor(np.clip(image, 0, 1).astype(np.float32), cv2.COLOR_RGB2LAB).astype(np.float32, copy=False)


def without(alpha: Alpha, shown: Alpha, unit: float) -> Alpha:
    """Return the matte without what is the background's and hangs together with it: a pearl in the hair stays.

    Args:
        alpha: (height, width) float32, 0 to 1.
        shown: (height, width) float32, from ``showing``.
        unit: a hundredth of the face's width, in pixels.
    """
    calm = (cv2.medianBlur((shown * 255).astype(np.uint8), 3) / 255).astype(np.float32)
    gone = blur((calm * reached(calm, alpha)).astype(np.float32), 0.3 * unit)
    left = alpha * (1 - np.clip(1.2 * gone, 0, 1))
    # What is too thin to stand by itself, and was not before, was only the rim of what has gone.
    size = 2 * round(1.2 * unit) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    before, after = (cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc) for mask in (alpha, left))
    whole = blur(after.astype(np.float32, copy=False), 0.5 * unit) + np.clip(alpha - before, 0, 1)
    touched = cv2.dilate(gone, disc) > 0.3  # noqa: PLR2004 - beside what has gone
    result: Alpha = np.where(touched, np.minimum(left, whole), left).astype(np.float32)
    return result


def own_hues(colours: Image, picture: Picture, alpha: Alpha, face: Face) -> Image:
    """Return the person's colours with no other hue along the rim than theirs. Lightness stays.

    A place near the outline may differ in hue from what is surely the person's, near it and as light, only as far as
    that itself varies. What goes beyond, towards the background's hue, is taken off; and what was taken off too much
    before, so that the hue lies on the other side, is given back.

    Args:
        colours: (height, width, 3) float32, 0 to 1, the person's colours as far as known.
        picture: (height, width, 3) uint8, the photo.
        alpha: (height, width) float32, the matte.
        face: whose size sets all lengths.

    Returns:
        (height, width, 3) float32, 0 to 1.
    """
    unit = face.width / 100
    scale = min(1.0, 1 / (_HUE_STEP * unit))
    size = (max(1, round(alpha.shape[1] * scale)), max(1, round(alpha.shape[0] * scale)))
    share, small, photo = (
        cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
        for image in (alpha, colours * alpha[..., None], (picture / 255).astype(np.float32))
    )
    within = (
        cv2.resize(oval(alpha.shape, face, _WITHIN_FACE).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    )
    ground = _ground(share, within, unit * scale)
    if ground.silent:
        return colours
    foreign = np.zeros((*share.shape, 2), np.float32)
    foreign[ground.rim] = _foreign(_lab(small / (share[..., None] + 1e-3)), _lab(photo), ground, unit * scale)
    off = cv2.resize(foreign, alpha.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    rows, columns = np.nonzero(np.abs(off).max(axis=2) > 0)
    result = colours.copy()
    if rows.size:
        lab = _lab(colours[rows, columns][None])
        too_much = off[rows, columns]
        # Grey is nobody's hue: grey temples beside dark hair stay grey, and so does a pearl.
        length = np.linalg.norm(too_much, axis=1, keepdims=True) + 1e-3
        shown = (lab[0, :, 1:] * too_much).sum(axis=1, keepdims=True) / length
        lab[0, :, 1:] -= too_much * np.clip((shown - _GREY) / _COLOURED, 0, 1)
        result[rows, columns] = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)[0]
    return result


def _foreign(lab: Image, photo: Image, ground: _Ground, unit: float) -> Image:
    """Return (n, 2) what is too much of a* and b* in each place of the rim.

    Args:
        lab: (height, width, 3), the person's colours.
        photo: (height, width, 3), the photo's, both CIE L*a*b*.
        ground: what is known.
        unit: a hundredth of the face's width, in pixels.
    """
    alike = _placed(lab[..., :1] * _HUE_LIGHTNESS, unit, _HUE_PLACE)
    at, _ = _Seen(alike[ground.own]).nearest(alike[ground.rim], _ALIKE)
    hues = lab[ground.own][at][..., 1:]
    middle, free = hues.mean(axis=1), _SPREAD * hues.std(axis=1).mean(axis=1) + _FREE
    behind = _placed(photo, unit)
    at, _ = _Seen(behind[ground.behind]).nearest(_placed(lab, unit)[ground.rim], _NEIGHBOURS)
    way = photo[ground.behind][at][..., 1:].mean(axis=1) - middle
    way /= np.linalg.norm(way, axis=1, keepdims=True) + 1e-3
    along, before = (((image[ground.rim][:, 1:] - middle) * way).sum(axis=1) for image in (lab, photo))
    beyond = along - np.clip(along, np.minimum(-free, before), free)
    too_much: Image = (beyond[:, None] * way).astype(np.float32)
    return too_much
