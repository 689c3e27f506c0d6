"""What lies behind the person: painted studio light, the original out of focus, or leaves and light."""

import cv2
import numpy as np

from headshotly.studio.edges import Alpha, Image
from headshotly.studio.faces import Picture
from headshotly.studio.styles import Colour


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
    width, height = size
    source = np.random.default_rng(20)
    side = 256
    light, shade = (np.array(colour, np.float32) / 255 for colour in colours)
    mix = np.zeros((side, side), np.float32)
    for cells, weight in ((3, 0.55), (6, 0.3), (11, 0.15)):
        mix += weight * cv2.resize(
            source.random((cells, cells), np.float32), (side, side), interpolation=cv2.INTER_CUBIC
        )
    # Sky above, shade below, as a camera at eye level sees a park.
    mix = np.clip(mix * 1.15 + np.linspace(0.22, -0.28, side, dtype=np.float32)[:, None], 0, 1)[..., None]
    canvas = shade * (1 - mix) + light * mix
    glow = np.zeros_like(canvas)
    for _ in range(18):
        centre = (int(source.integers(0, side)), int(source.integers(0, int(side * 0.7))))
        tint = light * 0.8 + np.array([0.22, 0.19, 0.08], np.float32) * source.random()
        disc = np.zeros((side, side), np.float32)
        cv2.circle(disc, centre, int(source.integers(12, 34)), 1.0, -1, cv2.LINE_AA)
        glow += disc[..., None] * tint * (0.05 + 0.11 * source.random())
    glowing = np.clip(1 - (1 - canvas) * (1 - np.clip(glow, 0, 1)), 0, 1).astype(np.float32)
    soft = cv2.GaussianBlur(glowing, (0, 0), 5.0)
    scene: Image = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return scene
