"""Light and skin: correct the scene's exposure, calm the skin a little, and never move its tone.

No step aims at a luminance or hue of skin. Exposure follows the brightest part of the whole scene, with one gain for
every channel; retouching only lowers contrast of middle-sized blemishes and keeps both texture and tone.
"""

import cv2
import numpy as np

from headshotly.studio.edges import Image
from headshotly.studio.faces import Face, Picture

_WHITE = 0.93  # where the scene's brightest percent shall lie
_GAIN_MIN, _GAIN_MAX = 1.0, 1.25
_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
_HOLES = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146),
    (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    (300, 293, 334, 296, 336, 285, 295, 282, 283, 276),
)


def exposure_gain(picture: Picture) -> float:
    """Return the one factor that brings the scene's brightest percent near white; the same for every channel.

    Args:
        picture: (height, width, 3) uint8, the whole scene.
    """
    small = cv2.resize(picture, (128, 128), interpolation=cv2.INTER_AREA)
    brightest = float(np.percentile(small.max(axis=2), 99)) / 255
    return float(np.clip(_WHITE / max(brightest, 1e-3), _GAIN_MIN, _GAIN_MAX))


def expose(image: Image, gain: float) -> Image:
    """Return the image with a gain whose highlights roll off instead of clipping.

    Args:
        image: (height, width, 3) float32, 0 to 1.
        gain: factor; one leaves the image as it is.
    """
    if gain <= 1:
        return (image * gain).astype(np.float32)
    # Scaling all channels of a pixel by one number keeps its hue and saturation.
    peak = image.max(axis=2, keepdims=True)
    lifted = 1 - (1 - peak) ** gain
    return (image * (lifted / np.maximum(peak, 1e-4))).astype(np.float32)


def skin_mask(shape: tuple[int, int], face: Face) -> Image:
    """Return (height, width, 1) float32: the face without eyes, brows and lips, softly bordered."""
    mask = np.zeros(shape, np.uint8)
    points = face.landmarks[:, :2].astype(np.int32)
    cv2.fillPoly(mask, [points[list(_OVAL)]], 255)
    for hole in _HOLES:
        cv2.fillPoly(mask, [cv2.convexHull(points[list(hole)])], 0)
    radius = max(1.0, face.width * 0.018)
    soft = cv2.erode(mask, np.ones((3, 3), np.uint8), iterations=max(1, int(radius)))
    return (cv2.GaussianBlur(soft, (0, 0), radius).astype(np.float32) / 255)[..., None].astype(np.float32)


def retouch(image: Image, face: Face, strength: float = 0.4) -> Image:
    """Return the image with calmer skin: blemishes of middle size fade, pores and tone stay.

    Args:
        image: (height, width, 3) float32, 0 to 1.
        face: whose skin.
        strength: 0 to 1; how much of the middle band is taken away.
    """
    fine, coarse = max(0.8, face.width * 0.004), max(2.0, face.width * 0.028)
    low = cv2.GaussianBlur(image, (0, 0), coarse)
    middle = cv2.GaussianBlur(image, (0, 0), fine) - low
    # Only small differences are blemishes; folds and features are larger and stay.
    weight = np.exp(-((middle / 0.06) ** 2)) * strength
    return (image - middle * weight * skin_mask(image.shape[:2], face)).astype(np.float32)


def wrap(person: Image, behind: Image, alpha: Image, face_width: float) -> Image:
    """Return the person with a little of the background's light around the edge, as a lens would spread it.

    Args:
        person: (height, width, 3) float32.
        behind: (height, width, 3) float32, the background.
        alpha: (height, width, 1) float32.
        face_width: in pixels; sets how far the light reaches.
    """
    reach = max(1.0, 0.02 * face_width)
    open_ = 1 - cv2.GaussianBlur(alpha, (0, 0), reach)[..., None]
    spread = cv2.GaussianBlur(behind, (0, 0), reach)
    return (person + 0.3 * open_ * (spread - person)).astype(np.float32)


def noise_level(picture: Picture) -> float:
    """Return the picture's grain: standard deviation of fine noise, 0 to 1 (Immerkær, 1996)."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = np.abs(cv2.filter2D(grey, cv2.CV_32F, kernel))
    # The median ignores edges, of which a portrait has few.
    return float(np.median(response) / 0.6745 / 6)


def add_grain(image: Image, level: float) -> Image:
    """Return a background with the grain of the picture in front of it; the same each time.

    Args:
        image: (height, width, 3) float32.
        level: standard deviation, 0 to 1.
    """
    source = np.random.default_rng(7)
    grain = source.normal(0, np.clip(level, 0.0015, 0.02), image.shape[:2]).astype(np.float32)
    return image + cv2.GaussianBlur(grain, (0, 0), 0.7)[..., None] * 1.6
