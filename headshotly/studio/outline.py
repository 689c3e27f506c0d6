"""The outline of whatever stands out in a picture, finely drawn (U²-Net, small; Qin et al., 2020).

The network knows nothing of people: it draws a flag beside somebody as gladly as their hair. ``matting`` says which
of it is the person.
"""

import threading
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from headshotly.studio.edges import Alpha
from headshotly.studio.faces import Face, Picture
from headshotly.studio.models_folder import trusted
from headshotly.studio.views_of_a_face import Box, fading, square

_MODEL = "u2netp.onnx"
_SIDE = 320
_MEAN, _SPREAD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
# Side of each view and how far its middle lies below the face's, by the face's height; its weight.
_VIEWS = ((2.5, 0.0, 2.0), (3.8, 0.45, 1.0))


class _Network:
    """The network and the lock that keeps it to one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._net: Any = cv2.dnn.readNetFromONNX(str(path))
        self._lock = threading.Lock()

    def run(self, picture: Picture) -> Alpha:
        """Return what stands out, at the picture's size, 0 to 1."""
        small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        even = (small / max(1.0, float(small.max())) - _MEAN) / _SPREAD
        with self._lock:
            self._net.setInput(np.ascontiguousarray(even.transpose(2, 0, 1)[None]))
            found = self._net.forward()[0, 0]
        full: Alpha = cv2.resize(found, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        return full


@cache
def _network(path: Path) -> _Network:
    return _Network(path)


def outline(picture: Picture, face: Face, folder: Path) -> tuple[Alpha, Alpha]:
    """Return what stands out around a face, and where that was looked at at all; both (height, width), 0 to 1.

    Args:
        picture: (height, width, 3) uint8, sRGB.
        face: what the views are centred on.
        folder: the model folder.

    Raises:
        ModelsMissing: the model is not there, or not the one we trust.
    """
    network = _network(trusted(folder, _MODEL))
    middle = face.landmarks[:, :2].mean(axis=0)
    total, weights = np.zeros(picture.shape[:2], np.float32), np.full(picture.shape[:2], 1e-6, np.float32)
    for side, below, weight in _VIEWS:
        box: Box = square(picture, (middle[0], middle[1] + below * face.height), side * face.height)
        left, top, right, bottom = box
        trust = weight * fading(picture, box)
        total[top:bottom, left:right] += trust * network.run(np.ascontiguousarray(picture[top:bottom, left:right]))
        weights[top:bottom, left:right] += trust
    seen = (weights > 1e-3).astype(np.float32)  # noqa: PLR2004 - more than nothing
    return np.clip(total / weights, 0, 1).astype(np.float32), seen
