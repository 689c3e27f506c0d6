"""Square views of a picture around a face, for networks that see small squares only."""

import numpy as np

from headshotly.studio.edges import Alpha
from headshotly.studio.faces import Picture

type Box = tuple[int, int, int, int]
_FADE = 0.12  # share of a view's side over which it counts less towards its border


def square(picture: Picture, centre: tuple[float, float], side: float) -> Box:
    """Return left, top, right, bottom of a square around a centre, moved and cut to lie within the picture."""
    height, width = picture.shape[:2]
    size = int(min(side, max(height, width)))
    left = int(np.clip(centre[0] - size / 2, 0, max(0, width - size)))
    top = int(np.clip(centre[1] - size / 2, 0, max(0, height - size)))
    return left, top, min(width, left + size), min(height, top + size)


def fading(picture: Picture, box: Box) -> Alpha:
    """Return how far each pixel of a view counts: less towards its border, unless the picture itself ends there."""
    left, top, right, bottom = box
    height, width = picture.shape[:2]
    inner = np.full((bottom - top, right - left), 1.0, np.float32)
    fade = max(1, int(_FADE * (right - left)))
    ramp = np.linspace(0.02, 1, fade, dtype=np.float32)
    if left > 0:
        inner[:, :fade] *= ramp
    if right < width:
        inner[:, -fade:] *= ramp[::-1]
    if top > 0:
        inner[:fade] *= ramp[:, None]
    if bottom < height:
        inner[-fade:] *= ramp[::-1, None]
    return inner
