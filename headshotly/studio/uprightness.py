"""Which way up a face is: detectors find one on its head or side as well, and the mesh draws an upright one over it."""

from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from headshotly.studio.faces import NEAR_SIDE, Face, Picture, surest
from headshotly.studio.views_of_a_face import square

type Lying = Literal["", "upside_down", "sideways"]

# Side of the view by the face's larger side: so near, the detector tells best which way up a face is.
_VIEW = 1.8
# How much surer the detector must be of the view turned by half, and by a quarter: of a face tilted by 30 degrees it is
# nearly as sure on its side. ADR 165 says how far from both photos lie.
_BY_HALF, _BY_A_QUARTER = 0.005, 0.045


def lying(picture: Picture, face: Face, folder: Path) -> Lying:
    """Return how a picture lies if its face would be a surer one turned; nothing where it is upright.

    Args:
        picture: (height, width, 3) uint8, sRGB.
        face: found in it, upright or not.
        folder: the model folder.

    Raises:
        ModelsMissing: the model folder is incomplete.
    """
    x, y = face.landmarks[:, :2].mean(axis=0)
    left, top, right, bottom = square(picture, (x, y), _VIEW * max(face.width, face.height))
    view = picture[top:bottom, left:right]
    if not view.size:
        return ""
    view = _reduced(view)
    own, once, half, thrice = (surest(np.ascontiguousarray(np.rot90(view, turns)), folder) for turns in range(4))
    side = max(once, thrice)
    if half > own + _BY_HALF and half >= side:
        return "upside_down"
    return "sideways" if side > own + _BY_A_QUARTER else ""


def _reduced(view: Picture) -> Picture:
    """Return a view as large as the detector sees it: reducing it once and turning that is reducing each turned one."""
    height, width = view.shape[:2]
    scale = NEAR_SIDE / max(height, width)
    if scale >= 1:
        return view
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA), np.uint8)
