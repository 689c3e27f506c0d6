"""Single hairs: how much of each pixel near the outline of a head is hair, told by colour where colour can tell.

The models draw a head's outline as one line. Where the wall behind it is even and hair differs from it, each pixel near
that line is a mixture of the two, and its share can be read off: hairs stand out by themselves, and between them shows
whatever lies behind. Where the wall is busy, or of the hair's colour, the line stays as it was drawn. Lengths are in
hundredths of the face's width.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from headshotly.studio.edges import Alpha, Image, Where, deviation, signed_distance, surroundings
from headshotly.studio.faces import CHIN, Face, Picture, oval

_INSIDE, _OUTSIDE = 5.0, 8.0  # how far from the line a pixel may be a mixture
_OWN, _DEEP, _BEHIND = 3.5, 11.0, 7.0  # how far from it a colour is surely hair, still hair, surely the wall
_NEAR, _AT_THE_WALL, _AROUND = 5.0, 3.5, 7.5  # how near hair is looked for, the wall, and whether the wall is even
_ALIKE, _DIFFERENT = 0.03, 0.10  # squared colour difference under which nothing is seen, and over which all is
_EVEN = 0.16  # deviation of the wall, by the difference, at which the wall tells little
_MISFIT = 0.012  # squared colour difference to any mixture at which it is none
_OWN_SPREAD, _WALL_SPREAD, _HAZE = 1.2, 2.0, 0.05
_LOCK = 0.7  # half the width of the widest lock that stands off by itself
_SOME, _FEWEST = 0.12, 1.0  # share that is something; the least area of a hair
_BELOW = 0.15  # of the face's height under the chin that hair may hang, before shoulders begin


@dataclass(frozen=True, slots=True)
class _Mixture:
    """What two colours explain of each pixel.

    Attributes:
        share: how much of it is the person's, 0 to 1.
        trust: how far that may be believed, 0 to 1.
    """

    share: Alpha
    trust: Alpha


def strands(picture: Picture, alpha: Alpha, face: Face) -> Alpha:
    """Return the matte with single hairs at the outline of the head.

    Args:
        picture: (height, width, 3) uint8, sRGB.
        alpha: (height, width) float32, 0 to 1, its line right to a few pixels.
        face: whose size sets all lengths.
    """
    unit = face.width / 100
    signed = signed_distance(alpha) / unit
    within = oval(alpha.shape, face, 0.0)
    own, behind = (signed > _OWN) & (signed < _DEEP) & (alpha > 0.97) & ~within, (signed < -_BEHIND) & (alpha < 0.02)  # noqa: PLR2004
    if not own.any() or not behind.any():
        return alpha
    seen = _mixture((picture / 255).astype(np.float32), own, behind, unit)
    # Deep inside nothing becomes transparent, far outside nothing opaque.
    least, most = np.clip((signed - 1) / (_INSIDE - 1), 0, 1), np.clip(1 + (signed + 1) / (_OUTSIDE - 1), 0, 1)
    share = _thin(np.clip(seen.share, least, most).astype(np.float32), signed, unit)
    asked = seen.trust * _hair(alpha.shape, face) * ~within * ((signed > -_OUTSIDE) & (signed < _INSIDE))
    result: Alpha = (alpha + asked * (share - alpha)).astype(np.float32)
    return result


def _thin(share: Alpha, signed: Alpha, unit: float) -> Alpha:
    """Return the share with nothing outside the line, and no gap inside it, that is wider than a lock of hair.

    A lock stands off, and the wall shows between two; a star of a flag, or a patch of the wall's colour, is neither.
    """
    size = 2 * round(_LOCK * unit) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    wide, gaps = cv2.morphologyEx(share, cv2.MORPH_OPEN, disc), 1 - cv2.morphologyEx(share, cv2.MORPH_CLOSE, disc)
    outside, inside = np.clip(-signed - 0.5, 0, 1), np.clip(signed - 0.5, 0, 1)
    thin: Alpha = np.clip(share - outside * wide + inside * gaps, 0, 1).astype(np.float32)
    thin[_specks((thin > _SOME) | (signed > 0), unit)] = 0
    thin[_specks((thin < 1 - _SOME) | (signed < 0), unit)] = 1
    return thin


def _specks(where: Where, unit: float) -> Where:
    """Return which of the places are too few together to be a hair: grain, and what JPEG leaves around an edge."""
    count, labels, sizes, _ = cv2.connectedComponentsWithStats(where.astype(np.uint8), connectivity=8)
    few = np.flatnonzero(sizes[:count, cv2.CC_STAT_AREA] < _FEWEST * unit * unit)
    specks: Where = np.isin(labels, few) & where
    return specks


def _mixture(image: Image, own: Where, behind: Where, unit: float) -> _Mixture:
    hair, wall = surroundings(image, own, _NEAR * unit), surroundings(image, behind, _AT_THE_WALL * unit)
    span = hair - wall
    length = (span * span).sum(axis=2) + 1e-4
    share = ((image - wall) * span).sum(axis=2) / length
    spread, uneven = (
        (np.abs(span) * deviation(image, where, mean, sigma)).sum(axis=2) / length
        for where, mean, sigma in (
            (own, hair, _NEAR * unit),
            (behind, surroundings(image, behind, _AROUND * unit), _AROUND * unit),
        )
    )
    rest = ((image - wall - np.clip(share, 0, 1)[..., None] * span) ** 2).sum(axis=2)
    # Light hairs among dark ones are hair as well; and the wall's own grain is no hair.
    full = 1 - np.clip(_OWN_SPREAD * spread, 0, 0.6)
    none = np.clip(_WALL_SPREAD * uneven + _HAZE, 0, 0.5)
    share = np.clip((share - none) / np.maximum(full - none, 0.2), 0, 1)
    clear = np.clip((length - _ALIKE) / (_DIFFERENT - _ALIKE), 0, 1)
    free = _MISFIT + np.where(share < 1, 0, 4 * spread * spread * length)
    explained = np.exp(-rest / free)
    trust = clear * np.exp(-((uneven / _EVEN) ** 2)) * explained
    return _Mixture(share.astype(np.float32), trust.astype(np.float32))


def _hair(shape: tuple[int, ...], face: Face) -> Alpha:
    """Return (height, 1) 1 where hair may be, 0 from the shoulders down."""
    rows = np.arange(shape[0], dtype=np.float32)[:, None]
    height = face.height
    reach: Alpha = np.clip((face.landmarks[CHIN, 1] + _BELOW * height - rows) / (0.3 * height), 0, 1)
    return reach
