"""What lies behind the person: painted studio light, the original out of focus, or leaves and light."""

import cv2
import numpy as np

from headshotly.studio.edges import Alpha, Image
from headshotly.studio.faces import Picture
from headshotly.studio.styles import Colour

_SHORT_SIDE = 256  # pixels in which leaves and light are painted; nothing finer survives so far out of focus


def studio(size: tuple[int, int], colours: tuple[Colour, Colour]) -> Image:
    """Return a backdrop lit from the middle.

    Args:
        size: width and height in pixels.
        colours: of the centre and of the edge, sRGB.

    Returns:
        (height, width, 3) float32, 0 to 1.
    """
    width, height = size
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    distance = np.clip(np.hypot(x * 0.85, (y + 0.15) * 0.8), 0, 1)[..., None]
    fall = distance * distance * (3 - 2 * distance)
    centre, edge = (np.array(colour, np.float32) / 255 for colour in colours)
    scene: Image = (centre * (1 - fall) + edge * fall).astype(np.float32)
    return scene


def blurred(picture: Picture, alpha: Alpha, strength: float) -> Image:
    """Return the original background, without the person, out of focus.

    Args:
        picture: (height, width, 3) uint8.
        alpha: (height, width) matte.
        strength: radius of the blur in pixels.

    Returns:
        (height, width, 3) float32, 0 to 1.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, 320 / max(height, width))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    free = 1 - cv2.resize(cv2.dilate(alpha, np.ones((9, 9), np.uint8)), size, interpolation=cv2.INTER_AREA)
    free = np.clip(free, 0, 1)[..., None] ** 2
    filled, known = small * free, free
    result = np.zeros_like(small)
    missing = np.ones_like(free)
    # Each wider blur fills what the narrower ones could not see; nothing of the person takes part.
    for sigma in (strength * scale, 4 * strength * scale, 12 * strength * scale):
        weight = cv2.GaussianBlur(known, (0, 0), max(0.5, sigma))[..., None]
        colour = cv2.GaussianBlur(filled, (0, 0), max(0.5, sigma)) / np.maximum(weight, 1e-4)
        share = missing * np.clip(weight * 3, 0, 1)
        result += colour * share
        missing = missing - share
    average = (small * free).sum(axis=(0, 1)) / max(1e-4, float(free.sum()))
    result += missing * average
    soft = cv2.GaussianBlur(result, (0, 0), max(1.0, strength * scale))
    return cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)


def outdoor(size: tuple[int, int], colours: tuple[Colour, Colour]) -> Image:
    """Return leaves and light far out of focus; always the same for the same size.

    Args:
        size: width and height in pixels.
        colours: of the light and of the shade, sRGB.
    """
    source = np.random.default_rng(20)
    scale = _SHORT_SIDE / min(size)
    width, height = (max(2, round(side * scale)) for side in size)
    light, shade = (np.array(colour, np.float32) / 255 for colour in colours)
    mix = _foliage((width, height), source)
    # Sky above, shade below, as a camera at eye level sees a park.
    mix = np.clip(mix + np.linspace(0.3, -0.25, height, dtype=np.float32)[:, None], 0, 1)[..., None]
    canvas = shade * (1 - mix) + light * mix
    glow = np.zeros_like(canvas)
    for _ in range(round(34 * width * height / _SHORT_SIDE**2)):
        # Light through leaves: a lens out of focus makes discs of it, round in any crop, and more of them above.
        x, y = int(source.integers(0, width)), int(height * 0.75 * source.random() ** 1.3)
        tint = light * 0.8 + np.array([0.24, 0.2, 0.06], np.float32) * source.random()
        radius = int(source.integers(9, 26))
        disc = np.zeros((2 * radius + 3, 2 * radius + 3), np.float32)
        cv2.circle(disc, (radius + 1, radius + 1), radius, 0.04 + 0.16 * source.random() ** 2, -1, cv2.LINE_AA)
        left, top = max(0, x - radius - 1), max(0, y - radius - 1)
        part = glow[top : y + radius + 2, left : x + radius + 2]
        across, down = left - (x - radius - 1), top - (y - radius - 1)
        part += disc[down : down + part.shape[0], across : across + part.shape[1], None] * tint
    glowing = np.clip(1 - (1 - canvas) * (1 - np.clip(glow, 0, 1)), 0, 1).astype(np.float32)
    soft = cv2.GaussianBlur(glowing, (0, 0), 3.0)
    scene: Image = cv2.resize(soft, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return scene


def _foliage(size: tuple[int, int], source: np.random.Generator) -> Image:
    """Return (height, width) leaves and gaps out of focus, around one half, as coarse in every crop."""
    width, height = size
    mix = np.zeros((height, width), np.float32)
    for cell, weight in ((110, 0.5), (52, 0.55), (26, 0.3)):
        cells = source.random((height // cell + 2, width // cell + 2), np.float32) - 0.5
        mix += weight * cv2.resize(cells, size, interpolation=cv2.INTER_CUBIC).astype(np.float32, copy=False)
    return cv2.GaussianBlur(mix, (0, 0), 5.0).astype(np.float32, copy=False) + np.float32(0.5)
